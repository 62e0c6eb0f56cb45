// The view Faults: trouble that begins, strikes and ends, while invitations end well all the same.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { invitable, post } from "./invite.mjs";
import { looksWell } from "./looks.mjs";
import { openPage, openView, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox()]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

const click = (page, name) => page.getByRole("button", { name }).click();
const active = (page) => page.getByRole("region", { name: "What is broken now" });
const fault = (page, label) => active(page).getByRole("listitem").filter({ hasText: label });
const processId = (page) => page.getByRole("banner").getByText(/process \d+/);

/** Waits until another process than this one is named in the head. */
async function nextProcess(page, first) {
  await page.waitForFunction(
    (first) => {
      const text = document.querySelector("header")?.textContent ?? "";
      return /process \d+/.test(text) && !text.includes(first);
    },
    first,
  );
}

async function endAll(page) {
  await click(page, "End all");
  await active(page).getByText("Nothing. Everything works as it should.").waitFor();
}

test("a throttled Dataverse makes an invitation late, and not lost", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await openView(page, "Faults");
  const card = page.getByRole("form", { name: "Throttling" });
  await card.getByLabel("Seconds").fill("1");
  await card.getByLabel("Requests").fill("2");
  await card.getByLabel("Requests").press("Enter");
  await active(page).getByText("2 left").waitFor();
  await page.getByRole("link", { name: "1 fault on" }).waitFor();
  const { status, json } = await post(page, { contactIds: await invitable(page, 1) });
  assert.deepEqual([status, json.counts.sent], [200, 1]);
  await active(page).getByText("struck 2 times").waitFor();
  await active(page).getByText("over").waitFor();
  await page.getByRole("link", { name: "fault on" }).waitFor({ state: "detached" });
  await endAll(page);
  await close();
});

test("a killed handler comes back as another process", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await openView(page, "Faults");
  const first = (await processId(page).textContent()).match(/process \d+/)[0];
  await click(page, "Kill it now");
  await nextProcess(page, first);
  await page.getByText(/was killed\. Now process \d+ runs\./).first().waitFor();
  await close();
});

test("the story of a handler that is killed in the middle of a batch ends well", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await openView(page, "Faults");
  const first = (await processId(page).textContent()).match(/process \d+/)[0];
  await click(page, "Set it up Killed in the middle of a batch");
  await page.getByText("At the third letter the handler dies.").waitFor();
  await fault(page, "The handler is killed at letter 3 from now").waitFor();
  const request = { contactIds: await invitable(page, 6) };
  assert.equal(request.contactIds.length, 6);
  const { status } = await post(page, request, "killed");
  assert.ok(status >= 500, `${status}`);
  mistakes.splice(0);
  await nextProcess(page, first);
  await endAll(page);
  await openView(page, "Clock");
  await page.getByLabel("How long").fill("2");
  await page.getByLabel("Unit").selectOption("minutes");
  await click(page, "Let it pass");
  await page.getByText("2 minutes passed.").first().waitFor();
  await click(page, "Run now Dispatch");
  // The run that was asked for, or one by the schedule; a mailbox that was done before is none of theirs.
  await page.getByText(/[1-6] entries settled, 0 left/).first().waitFor({ state: "attached" });
  const { json } = await post(page, request, "killed");
  assert.equal(json.counts.sent, 6);
  await close();
});

test("faults are ended one by one, and figures that cannot be are refused in words", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await openView(page, "Faults");
  await click(page, "Take the right to create");
  await click(page, "Begin the outage");
  await page.getByRole("link", { name: "2 faults on" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Take the right to create" }).isDisabled(), true);
  await fault(page, "every request gets 503").getByRole("button").click();
  await page.getByRole("link", { name: "1 fault on" }).waitFor();
  const { json } = await post(page, { contactIds: await invitable(page, 1) });
  assert.equal(json.results[0].reason.code, "dataverseRefused");
  await endAll(page);
  await page.getByLabel("Rows or letters").fill("0");
  await click(page, "Lose the answers");
  await page.getByRole("alert").getByText("The number of rows or letters must be 1 to 10000.").waitFor();
  assert.equal(mistakes.splice(0).length, 1, "the browser's own line about the status 400");
  await close();
});

test("axe finds nothing among faults that are on", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await openView(page, "Faults");
  await click(page, "Set it up A busy Dataverse");
  await click(page, "Overwrite at create");
  await click(page, "Revoke all tokens");
  await page.getByLabel("Milliseconds").fill("0");
  await click(page, "Slow it down");
  await page.getByRole("alert").waitFor();
  await fault(page, "come back in 3 seconds").waitFor();
  assert.equal(mistakes.splice(0).length, 1, "the browser's own line about the status 400");
  await looksWell(page, "faults");
  await endAll(page);
  await close();
});
