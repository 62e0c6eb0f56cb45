// The view Traffic: what was called and logged, what went wrong, and never a code.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox()]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

const post = (path, body) =>
  fetch(`${sandbox.url}host/api/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Invites everybody, and gives the id of a contact that nobody has. */
async function inviteAll() {
  const answer = await post("invitations", { filter: "statecode eq 0", whenPending: "replace" });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).counts;
}

async function traffic(options) {
  const opened = await openPage(browser, sandbox.url, options);
  await openView(opened.page, "Traffic");
  return opened;
}

/** The sections whose heading has a text. */
const section = (page, text) => page.locator("details.invocation").filter({ has: page.getByRole("heading", { name: text }) });

test("an invocation is shown with its requests, its log and its cost", async () => {
  const { sent } = await inviteAll();
  assert.ok(sent > 5);
  const { page, close } = await traffic();
  const invite = section(page, "POST /api/invitations").first();
  await invite.getByText("200", { exact: true }).first().waitFor();
  await invite.getByText("a batch is accepted").waitFor();
  await invite.getByText("The answer: 200.").waitFor();
  await invite.getByText(/Dataverse: \d+ requests \([\d.]+ a contact\)/).waitFor();
  await page.getByText(`${sent} contacts invited`).waitFor();
  const batch = invite.locator("li").filter({ hasText: `${sent} × PATCH adx_invitations(…)` }).first();
  await batch.locator("summary").click();
  await batch.getByText("One by one").waitFor();
  assert.equal(await batch.locator("ol.operations > li").count(), sent);
  await picture(page, "traffic-open-1280-light");
  await close();
});
