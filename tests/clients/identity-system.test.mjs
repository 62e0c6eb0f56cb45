// @azure/identity, the SDK of Node function apps, with a system-assigned identity.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ManagedIdentityCredential } from "@azure/identity";
import { startSandbox } from "./sandbox.mjs";

const sandbox = await startSandbox();
after(() => sandbox.stop());
const { DATAVERSE_URL, GRAPH_URL } = Object.assign(process.env, sandbox.environment);

const HOUR = 60 * 60 * 1000;

async function whoAmI(token) {
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`${DATAVERSE_URL}/api/data/v9.2/WhoAmI`, { headers })).status;
}

test("a system-assigned identity gets a token that the service accepts", async () => {
  const credential = new ManagedIdentityCredential();
  const token = await credential.getToken(`${DATAVERSE_URL}/.default`);
  assert.ok(token.expiresOnTimestamp > Date.now() + HOUR, "it lives longer than an hour");
  assert.ok(token.expiresOnTimestamp <= Date.now() + 24 * HOUR, "it lives no longer than a day");
  assert.equal(await whoAmI(token.token), 200);
});

test("a token is good for one service only", async () => {
  const credential = new ManagedIdentityCredential();
  const token = await credential.getToken(`${GRAPH_URL}/.default`);
  assert.equal(await whoAmI(token.token), 401);
});
