// @azure/identity with a user-assigned identity. A file of its own, because the SDK keeps the endpoint
// that it found first for as long as the process lives.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ManagedIdentityCredential } from "@azure/identity";
import { startSandbox } from "./sandbox.mjs";

const CLIENT_ID = "6f0a1c52-3a55-4f0b-9a0e-2f1f9d2c7b11";
const sandbox = await startSandbox({ identity: CLIENT_ID });
after(() => sandbox.stop());
const { DATAVERSE_URL, AZURE_CLIENT_ID } = Object.assign(process.env, sandbox.environment);

const tokenOf = (credential) => credential.getToken(`${DATAVERSE_URL}/.default`);

test("a user-assigned identity gets a token that the service accepts", async () => {
  assert.equal(AZURE_CLIENT_ID, CLIENT_ID);
  const token = await tokenOf(new ManagedIdentityCredential({ clientId: CLIENT_ID }));
  const headers = { Authorization: `Bearer ${token.token}` };
  const answer = await fetch(`${DATAVERSE_URL}/api/data/v9.2/WhoAmI`, { headers });
  assert.equal(answer.status, 200);
});

const notFound = /No User Assigned or Delegated Managed Identity found/;

test("an identity that the app does not have gets no token", async () => {
  const clientId = "00000000-0000-0000-0000-00000000beef";
  await assert.rejects(tokenOf(new ManagedIdentityCredential({ clientId })), notFound);
});

test("an app without a system-assigned identity gets no token where none is named", async () => {
  await assert.rejects(tokenOf(new ManagedIdentityCredential()), notFound);
});
