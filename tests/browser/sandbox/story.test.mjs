// The whole story, clicked through as a newcomer would: invite, read, redeem, survive a crash, expire.
//
// One sandbox and one window; each step stands on those before it. The pictures of the README are taken on the way.

import { after, before, test } from "node:test";
import { openPage, openView, picture, sheetOf, startBrowser, startSandbox } from "./stage.mjs";

const FIRST = ["Amara Okafor", "Turid Moen", "Diego Sánchez"];
const CROWD = ["Chloé Lefèvre", "Grace O'Neill", "Mads Kjær", "Signe Mørk", "Øyvind Sæther", "Håkon Lie"];
let browser;
let sandbox;
let window;
let page;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--senders", "1"] })]);
  window = await openPage(browser, sandbox.url, { width: 1280, height: 860 });
  page = window.page;
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

const button = (name) => page.getByRole("button", { name });
const contact = (name) => page.getByRole("region", { name: "Contacts", exact: true }).getByRole("row").filter({ hasText: name }).first();
const invitation = (name) => page.getByRole("region", { name: "Invitations", exact: true }).getByRole("row").filter({ hasText: name }).first();
const timer = (name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
const letters = () => page.getByRole("list", { name: "Letters" });
const sheet = () => page.frameLocator("iframe[title='The letter']");

/** Ticks who is found by a search, and nobody else. */
async function tick(...names) {
  await openView(page, "Contacts");
  if (await button("Clear").isVisible()) await button("Clear").click();
  for (const name of names) {
    await page.getByLabel("Search").fill(name);
    await contact(name).getByRole("checkbox").check();
  }
  await page.getByLabel("Search").fill("");
}

/** Makes everything so much older. */
async function pass(howLong, unit) {
  await openView(page, "Clock");
  await page.getByLabel("How long").fill(`${howLong}`);
  await page.getByLabel("Unit").selectOption(unit);
  await button("Let it pass").click();
  await page.getByText(`${howLong} ${unit} passed.`).first().waitFor();
}

/** The standing of somebody's invitation, as the list has it at last. */
async function stands(name, standing) {
  await openView(page, "Invitations");
  await invitation(name).getByText(standing, { exact: true }).waitFor();
}

test("one reads and redeems, a crash loses nothing, and time closes the rest", async (story) => {
  await story.test("three contacts are invited", async () => {
    await tick(...FIRST);
    await button("Invite 3 contacts").click();
    await page.getByRole("heading", { name: "Done" }).waitFor();
    await page.getByText("3 sent").first().waitFor();
    await picture(page, "story-1-invited");
  });

  await story.test("one of them reads the letter and signs up by its link", async () => {
    await openView(page, "Mailboxes");
    await letters().getByRole("link", { name: FIRST[0] }).click();
    const link = sheet().locator("a[href*='/register?invitation=']").first();
    await link.waitFor();
    await picture(page, "story-2-letter");
    const [tab] = await Promise.all([window.context.waitForEvent("page"), link.click()]);
    await tab.getByLabel("User name").fill("amara");
    await picture(tab, "story-3-register");
    await tab.getByRole("button", { name: "Register" }).click();
    await tab.getByRole("heading", { name: `Welcome, ${FIRST[0]}` }).waitFor();
    await picture(tab, "story-4-welcome");
    // A page behind another tab is drawn once a second at most.
    await tab.close();
  });

  await story.test("the row changes without a reload, and the contact is registered", async () => {
    await stands(FIRST[0], "Redeemed");
    await stands(FIRST[1], "Sent");
    await picture(page, "story-5-redeemed");
    await openView(page, "Contacts");
    await contact(FIRST[0]).getByText("registered", { exact: true }).waitFor();
  });

  await story.test("the handler is killed in the middle of a batch, which ends all the same", async () => {
    await openView(page, "Faults");
    await button("Set it up Killed in the middle of a batch").click();
    await page.getByText("At the third letter the handler dies.").waitFor();
    await tick(...CROWD);
    await button(`Invite ${CROWD.length} contacts`).click();
    await page.getByRole("heading", { name: "It did not get through" }).waitFor();
    await picture(page, "story-6-killed");
    window.mistakes.splice(0);
    await openView(page, "Faults");
    await button("End all").click();
    await pass(2, "minutes");
    await button("Run now Dispatch").click();
    for (const name of CROWD) await stands(name, "Sent");
    await picture(page, "story-7-finished");
    await openView(page, "Mailboxes");
    // It fails where there are two.
    for (const name of CROWD) await letters().getByRole("link", { name }).waitFor();
  });

  await story.test("who waits too long is closed by the sweep, and told so by the portal", async () => {
    await pass(16, "days");
    await stands(FIRST[1], "Expired, row open");
    await openView(page, "Mailboxes");
    await letters().getByRole("link", { name: FIRST[1] }).click();
    const link = sheet().locator("a[href*='/register?invitation=']").first();
    await link.waitFor();
    const [late] = await Promise.all([window.context.waitForEvent("page"), link.click()]);
    await late.getByLabel("User name").fill("turid");
    await late.getByLabel("E-mail").fill("turid.moen@fabrikam.example");
    await late.getByRole("button", { name: "Register" }).click();
    await late.getByRole("alert").getByText("expired").waitFor();
    await picture(late, "story-8-expired");
    await late.close();
    await openView(page, "Clock");
    await button("Run now Sweep").click();
    await timer("Sweep").getByText("expired invitations closed").first().waitFor();
    await stands(FIRST[1], "Expired");
    await stands(FIRST[0], "Redeemed");
    await picture(page, "story-9-swept");
  });

  await sheetOf(browser, "look", [
    ["Pick contacts and invite them", "story-1-invited"],
    ["Read a letter as its reader gets it", "story-2-letter"],
    ["Follow its link, and sign up", "story-3-register"],
    ["Watch the rows, also when the handler is killed", "story-7-finished"],
  ]);
  await window.close();
});
