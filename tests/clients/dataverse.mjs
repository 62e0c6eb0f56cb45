// dynamics-web-api, a public Dataverse client, signed in to a sandbox.

import assert from "node:assert/strict";
import { ManagedIdentityCredential } from "@azure/identity";
import { DynamicsWebApi } from "dynamics-web-api";

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The client for these services, with the token of the managed identity. */
export function connect({ environment }) {
  const { DATAVERSE_URL } = Object.assign(process.env, environment);
  const credential = new ManagedIdentityCredential();
  return new DynamicsWebApi({
    serverUrl: DATAVERSE_URL,
    dataApi: { version: "9.2" },
    onTokenRefresh: async () => (await credential.getToken(`${DATAVERSE_URL}/.default`)).token,
    propagateErrors: true, // Otherwise some refusals come back as null or false.
  });
}

/** An invitation of this contact, as data; `more` adds columns. */
export const invitation = (contact, more = {}) => ({
  adx_name: "Portal invitation",
  adx_type: 756150000, // Single.
  adx_maximumredemptions: 1,
  "adx_inviteContact@odata.bind": contact.startsWith("$") ? contact : `/contacts(${contact})`,
  ...more,
});

/** Checks that an error has this status, and a code and a message as Dataverse writes them. */
export const refusal = (status, message) => (error) => {
  assert.equal(error.status, status, error.message);
  assert.match(error.code, /^0x[0-9a-f]{8}$/i);
  assert.match(error.message, message);
  return true;
};
