// The view Invitations: what the list shows, what can be done with one of them, and how a batch gets on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openContacts, tickPlain } from "./contacts.mjs";
import { mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

const LOOKS = [[375, 740, "light"], [375, 740, "dark"], [1280, 900, "light"], [1280, 900, "dark"]];
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "60"] })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

/** Invites some contacts and goes to the view Invitations; their names. */
async function invited(count, look) {
  const view = await openContacts(browser, sandbox, look);
  const names = await tickPlain(view, count);
  await view.button(/^Invite \d/).click();
  await view.page.getByRole("heading", { name: "Done" }).waitFor();
  const batch = (await view.page.getByText(/^Batch \d+/).textContent()).match(/\d+/)[0];
  await openView(view.page, "Invitations");
  return { ...view, names, batch };
}

/** Opens the first invitation with this name in a batch. */
async function openFirst({ page, names, batch }) {
  await page.getByLabel("Batch", { exact: true }).selectOption(batch);
  await page.getByRole("region", { name: "Invitations" }).getByRole("link", { name: names[0] }).first().click();
  await page.getByRole("heading", { level: 2, name: `Invitation of ${names[0]}` }).waitFor();
}

/** Lets an hour pass, as the view Clock does. */
const anHourLater = (page) =>
  page.evaluate(() => fetch("sandbox/clock", { method: "POST", headers: { "content-type": "application/json" }, body: '{"seconds":3600}' }));

test("a letter is sent again once the last one is old enough", async () => {
  const view = await invited(1);
  const { page, button } = view;
  await openFirst(view);
  await page.getByText("pending", { exact: true }).waitFor();
  await button("Resend").click();
  await page.getByText("429 Too soon").waitFor();
  await page.getByText("It may be asked again in 10 minutes.").waitFor();
  view.forgive(429);
  await anHourLater(page);
  await page.getByLabel("Extend by days").fill("30");
  await button("Resend").click();
  await page.locator("#done").getByText("1 sent").waitFor();
  // The last hour of the last day is no longer valid, so late in the evening it is a day less.
  await page.locator("dl").getByText(/in (29|30) days/).waitFor();
  await picture(page, "invitations-resent-1280-light");
  await page.getByLabel("Extend by days").fill("400");
  await button("Resend").click();
  await page.locator("#extendDays-wrong").getByText("must be a whole number of days from 1 to 365").waitFor();
  view.forgive(400);
  await view.close();
});

test("an invitation is revoked by keyboard, after a question", async () => {
  const view = await invited(1);
  const { page } = view;
  await openFirst(view);
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  await page.waitForFunction(() => document.activeElement.id === "invitation-heading");
  while ((await focused()) !== "Revoke…") await press("Tab");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "keep");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "revoke");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "keep");
  await press("Shift+Tab");
  await press("Enter");
  await page.getByText("It is revoked now.").waitFor();
  await page.getByRole("region", { name: "Invitations" }).getByText("Closed").waitFor();
  await page.getByRole("button", { name: "Resend" }).click();
  await page.getByText("409 Conflict").waitFor();
  await page.getByText("It is closed for good. Invite the contact anew.").waitFor();
  view.forgive(409);
  await page.getByRole("link", { name: "Close" }).press("Enter");
  await page.waitForFunction((name) => document.activeElement.textContent === name, view.names[0]);
  await view.close();
});

test("the list is narrowed by name, standing and batch", async () => {
  const view = await invited(3);
  const { page, names, batch } = view;
  const rows = page.getByRole("region", { name: "Invitations" }).locator("tbody tr");
  await page.getByLabel("Batch", { exact: true }).selectOption(batch);
  await page.getByText(/^3 of \d+ invitations match$/).waitFor();
  assert.deepEqual((await rows.getByRole("link").allTextContents()).sort(), [...names].sort());
  await page.getByLabel("Standing").selectOption("redeemed");
  await page.getByText("Nothing matches.").waitFor();
  await page.getByLabel("Standing").selectOption("sent");
  await page.getByLabel("Search").fill(names[0]);
  await page.getByText(/^1 of \d+ invitations match$/).waitFor();
  assert.deepEqual(await rows.getByRole("link").allTextContents(), [names[0]]);
  await page.getByRole("img", { name: new RegExp(`Batch ${batch}: 3 sent`) }).waitFor();
  await view.close();
});

test("axe finds nothing in the list, a detail and its answers", async () => {
  const view = await invited(2);
  const { page, button } = view;
  await openFirst(view);
  await button("Resend").click();
  await page.getByText("429 Too soon").waitFor();
  view.forgive(429);
  await button("Revoke…").click();
  for (const [width, height, shade] of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: shade });
    assert.deepEqual(await mistakesOf(page), [], `${width} px, ${shade}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${width} px`);
    await picture(page, `invitations-${width}-${shade}`);
  }
  await view.close();
});

test("an address that names nothing says so", async () => {
  const { page, mistakes, close } = await openPage(browser, `${sandbox.url}#invitations/00000000-0000-4000-8000-000000000000`);
  await page.getByText("There is no such invitation.").waitFor();
  assert.match(mistakes.pop(), /status of 404/);
  await close();
});

test("the columns of a row say how it stands", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const NEW = 1, INACTIVE = 2, SENT = 756150000, REDEEMED = 756150001, SINGLE = 756150000, GROUP = 756150001;
  const row = { type: SINGLE, state: 0, status: SENT, redemptions: 0, hasCode: true, expires: "2026-12-01T23:00:00Z" };
  const cases = [
    [{}, "sent"],
    [{ status: NEW }, "new"],
    [{ expires: null }, "sent"],
    [{ expires: "2026-11-01T23:00:00Z" }, "expired"],
    [{ status: NEW, expires: "2026-11-01T23:00:00Z" }, "expired"],
    [{ state: 1, status: INACTIVE, expires: "2026-11-01T23:00:00Z" }, "expired"],
    [{ state: 1, status: INACTIVE, expires: "2026-11-01T23:00:00Z", hasCode: false }, "closed"],
    [{ state: 1, status: INACTIVE }, "closed"],
    [{ status: REDEEMED, redemptions: 1, expires: "2026-11-01T23:00:00Z" }, "redeemed"],
    [{ redemptions: 1 }, "redeemed"],
    [{ type: GROUP, redemptions: 1 }, "sent"],
  ];
  const found = await page.evaluate(async (rows) => {
    const { standingOf } = await import("/views/standings.js");
    return rows.map((row) => standingOf(row, Date.parse("2026-11-23T12:00:00Z")));
  }, cases.map(([change]) => ({ ...row, ...change })));
  assert.deepEqual(found, cases.map(([, standing]) => standing));
  await close();
});
