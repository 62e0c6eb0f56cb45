// The view Traffic: what was called and logged, what went wrong, and never a code.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { drawn, mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

/** No timer runs by itself in the middle of a test. */
const QUIET = { DISPATCH_SCHEDULE: "0 0 0 1 1 *", SWEEP_SCHEDULE: "0 0 0 1 1 *" };
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ settings: QUIET })]);
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
  assert.ok(sent > 20);
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
  assert.equal(await batch.locator("ol.operations > li").count(), 20);
  await batch.getByText(/… and \d+ more/).waitFor();
  await close();
});

/** The link in a letter that was sent, as its reader gets it. */
async function linkOfALetter() {
  const events = await fetch(`${sandbox.url}sandbox/events`);
  let text = "";
  for await (const part of events.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    const letters = text.match(/^event: letters\ndata: (.*)$/m);
    if (letters) {
      const { id, mailbox } = JSON.parse(letters[1]).rows.find(({ fate }) => fate === "delivered");
      const letter = await (await fetch(`${sandbox.url}sandbox/letters/${mailbox}/${encodeURIComponent(id)}`)).text();
      return letter.match(/http[^"]*register\?invitation=[^"&]+/)[0];
    }
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
  await drawn(page);
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

test("a fault is marked where it struck", async () => {
  const fault = JSON.stringify({ kind: "throttle", service: "dataverse", seconds: 1, requests: 1 });
  const headers = { "content-type": "application/json" };
  assert.equal((await fetch(`${sandbox.url}sandbox/faults`, { method: "POST", headers, body: fault })).status, 200);
  assert.equal((await fetch(`${sandbox.url}host/api/invitations?top=7`)).status, 200);
  const { page, close } = await traffic();
  await page.getByLabel("Errors only").check();
  await drawn(page);
  const struck = section(page, "GET /api/invitations?top=7").locator("li > details").filter({ hasText: "Dataverse" });
  await struck.getByText("⚡ fault: 429").waitFor();
  assert.equal(await struck.count(), 1);
  await page.getByText("1 in trouble").waitFor();
  assert.deepEqual(await mistakesOf(page), []);
  await picture(page, "traffic-fault-1280-light");
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
      // What stays at the top as one scrolls would hide some of what is looked at: everything is in sight.
      await page.setViewportSize({ width, height: 9000 });
      await page.evaluate(() => scrollTo(0, 0));
      // So does the list of views the first of them, on a phone.
      await page.evaluate(() => (document.querySelector(".views").scrollLeft = 0));
      assert.deepEqual(await mistakesOf(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      await page.setViewportSize({ width, height });
      await page.evaluate(() => scrollTo(0, 0));
      await picture(page, `traffic-${width}-${shade}`);
      await row.scrollIntoViewIfNeeded();
      await picture(page, `traffic-open-${width}-${shade}`);
      await close();
    });
  }
}

/** Does something so often, ten at a time. */
async function times(count, work) {
  const worker = async () => {
    while (count-- > 0) await work();
  };
  await Promise.all(Array.from({ length: 10 }, worker));
}

test("a long list is drawn in pieces", async () => {
  await times(210, () => fetch(`${sandbox.url}host/api/health`));
  const { page, close } = await traffic();
  const more = page.getByRole("button", { name: "Show more" });
  await more.waitFor();
  const sections = page.locator("details.invocation");
  assert.ok((await sections.count()) <= 200);
  await more.click();
  await page.waitForFunction(() => document.querySelectorAll("details.invocation").length > 200);
  await close();
});

test("only the last requests are kept in the browser, too", async () => {
  const { page, close } = await traffic();
  const link = await linkOfALetter();
  await times(505, async () => (await fetch(link)).text());
  await page.locator(".by-service li").filter({ hasText: "Portal" }).getByText("500 requests").waitFor();
  await close();
});
