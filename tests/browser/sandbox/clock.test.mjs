// The view Clock: time passes on demand, and timers run.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../until.mjs";
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
const timer = (page, name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });

test("a day brings the expiry nearer, and past it the sweep closes the invitation", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const { json } = await post(page, { contactIds: await invitable(page, 1), validDays: 5 });
  assert.equal(json.counts.sent, 1);
  await openView(page, "Clock");
  await click(page, "Run now Sweep");
  await timer(page, "Sweep").getByText("✓ Succeeded").waitFor();
  const days = async () => Number((await page.getByText(/expires in \d+ days/).textContent()).match(/expires in\s+(\d+) days/)[1]);
  const first = await days();
  await click(page, "+1 day");
  await page.getByRole("heading", { name: "1 day later" }).waitFor();
  // The clock and the rows are told of one after the other.
  await until(days, (now) => now === first - 1);
  await click(page, "To the next expiry");
  await page.getByText("1 past expiry, for the sweep to close").waitFor();
  await click(page, "Run now Sweep");
  await timer(page, "Sweep").getByText("1 expired invitations closed").first().waitFor();
  await page.getByText(/\d past expiry/).waitFor({ state: "detached" });
  await page.getByRole("status").getByText(/Sweep succeeded\. 1 expired/).waitFor();
  await close();
});

test("missed timers run in turn, and the next one by itself", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await openView(page, "Clock");
  await click(page, "+1 week");
  await page.getByText(/Meanwhile .*Digest.* would have run/).first().waitFor();
  await click(page, "Run them now");
  for (const name of ["Dispatch", "Sweep", "Remind", "Digest"]) await timer(page, name).getByText("✓ Succeeded").first().waitFor();
  await click(page, "To the next timer");
  await page.getByText(/passed\. \w+ was due/).first().waitFor();
  await close();
});

test("a keyboard lets time pass, and a span that cannot be is refused in words", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await openView(page, "Clock");
  await page.getByLabel("How long").fill("0");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("Time passes by at least one second").waitFor();
  assert.equal(mistakes.splice(0).length, 1, "the browser's own line about the status 400");
  await page.getByLabel("How long").fill("3");
  await page.getByLabel("Unit").selectOption("hours");
  await page.getByLabel("How long").focus();
  await page.keyboard.press("Enter");
  await page.getByText("3 hours passed.").first().waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Run now Digest" }).focus();
  await page.keyboard.press("Enter");
  await timer(page, "Digest").getByText("nothing to do").first().waitFor();
  await close();
});

test("axe finds nothing in a clock with content", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await openView(page, "Clock");
  await click(page, "+1 hour");
  await page.getByRole("button", { name: /^Run (it|them) now/ }).waitFor();
  await looksWell(page, "clock");
  await close();
});
