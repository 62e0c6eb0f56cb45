// The view Traffic: what was called and logged, what went wrong, and never a code.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox()]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

const post = (path, body) =>
  fetch(`${sandbox.url}host/api/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Invites everybody, and gives the counts of the answer. */
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
  const batch = invite.locator("li").filter({ hasText: `${sent} × PATCH adx_invitations(…) (new)` }).first();
  await batch.locator("summary").click();
  await batch.getByText("One by one").waitFor();
  assert.equal(await batch.locator("ol.operations > li").count(), sent);
  await close();
});

/** The link in a letter that was sent, once the sandbox has told of one. */
async function linkOfALetter() {
  for (;;) {
    const file = sandbox.said.find((line) => line.trim().endsWith(".html"));
    if (file) return readFileSync(file.trim(), "utf8").match(/http[^"]*register\?invitation=[^"&]+/)[0];
    await wait(50);
  }
}

test("no code is anywhere in the page", async () => {
  const link = await linkOfALetter();
  const code = link.split("=")[1];
  assert.ok(code.length > 20);
  assert.equal((await fetch(link)).status, 200);
  const { page, close } = await traffic();
  await page.getByLabel("Service", { exact: true }).selectOption("Portal");
  const row = page.locator("li").filter({ hasText: "/register?invitation=•••" }).first();
  await row.locator("summary").click();
  await row.getByText("received").waitFor();
  assert.equal((await page.content()).includes(code), false);
  await close();
});

test("only errors are shown where only they are asked for", async () => {
  assert.equal((await post("invitations", { validDays: 0 })).status, 400);
  assert.equal((await fetch(`${sandbox.url}host/api/health`)).status, 200);
  const { page, close } = await traffic();
  const sections = section(page, "POST /api/invitations");
  await sections.getByText("400", { exact: true }).waitFor();
  const before = await sections.count();
  assert.ok(before > 1);
  await page.getByLabel("Errors only").check();
  await sections.getByText("400", { exact: true }).waitFor();
  assert.equal(await sections.count(), 1);
  await page.getByLabel("Function", { exact: true }).selectOption("function-health");
  await page.getByText("Nothing here is like that.").waitFor();
  assert.deepEqual(await mistakesOf(page), []);
  await page.getByLabel("Function", { exact: true }).selectOption("");
  await page.getByLabel("Errors only").uncheck();
  await page.waitForFunction((count) => document.querySelectorAll("details.invocation").length >= count, before);
  await close();
});

test("a keyboard opens and closes what a request held", async () => {
  const { page, close } = await traffic();
  const row = page.locator("li").filter({ hasText: "adx_invitations(…)" }).first();
  await row.locator("summary").focus();
  await page.keyboard.press("Enter");
  await row.getByText("One by one").waitFor();
  await page.keyboard.press("Enter");
  await row.getByText("One by one").waitFor({ state: "detached" });
  const invite = section(page, "POST /api/invitations").first();
  await invite.locator("summary").first().focus();
  await page.keyboard.press("Enter");
  await invite.locator("ol").waitFor({ state: "detached" });
  await close();
});

test("the view stands still while it is paused, and forgets what is cleared", async () => {
  const { page, close } = await traffic();
  const sections = page.locator("details.invocation");
  await sections.first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("status").getByText("Paused").waitFor();
  const before = await sections.count();
  await fetch(`${sandbox.url}host/api/invitations?top=1`);
  await page.getByText(/\d+ new rows since/).waitFor();
  assert.equal(await sections.count(), before);
  await page.getByRole("button", { name: "Pause" }).click();
  await section(page, "GET /api/invitations?top=1").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("Nothing yet.").waitFor();
  await fetch(`${sandbox.url}host/api/invitations?top=2`);
  await section(page, "GET /api/invitations?top=2").waitFor();
  assert.equal(await sections.count(), 1);
  await close();
});

for (const [width, height] of [[375, 700], [1280, 900]]) {
  for (const shade of ["light", "dark"]) {
    test(`axe finds nothing in a full view, ${width} px wide, ${shade}`, async () => {
      const { page, close } = await traffic({ width, height, shade });
      const row = page.locator("li").filter({ hasText: "adx_invitations(…) (new)" }).first();
      await row.locator("summary").click();
      await row.getByText("One by one").waitFor();
      // Otherwise the names of the lanes, which stay at the top, hide some of what is looked at.
      await page.evaluate(() => scrollTo(0, 0));
      assert.deepEqual(await mistakesOf(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      await picture(page, `traffic-${width}-${shade}`);
      await row.scrollIntoViewIfNeeded();
      await picture(page, `traffic-open-${width}-${shade}`);
      await close();
    });
  }
}
