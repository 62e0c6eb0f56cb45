// The view Mailboxes: letters as they were received, what came back, and mailboxes that do not work.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../until.mjs";
import { invite, isPlain } from "./invite.mjs";
import { mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

const SENDER = "invitations@contoso.example";
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "30"] })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

const letters = (page) => page.getByRole("list", { name: "Letters" });
const sheet = (page) => page.frameLocator("iframe[title='The letter']");
const link = (page) => sheet(page).locator("a[href*='/register?invitation=']").first();

/** Opens the letter to a contact. */
async function read(page, { name }) {
  await openView(page, "Mailboxes");
  await letters(page).getByRole("link", { name }).first().click();
  await link(page).waitFor();
}

test("a letter appears, is read, and leads to an account", async () => {
  const { page, context, close } = await openPage(browser, sandbox.url);
  const one = (contact, index, all) => contact === all.find(isPlain);
  const { contacts: [contact] } = await invite(page, one);
  await page.getByRole("link", { name: "1 new letter" }).click();
  await letters(page).getByText("new", { exact: true }).waitFor();
  await read(page, contact);
  await letters(page).getByText("new", { exact: true }).waitFor({ state: "detached" });
  assert.match(await page.locator(".facts").innerText(), new RegExp(`@contoso.example[^]*${contact.email}[^]*delivered`));
  await page.getByText("Headers, and what the mailbox keeps with it").click();
  await page.getByRole("rowheader", { name: "Message-ID" }).waitFor();
  await picture(page, "letter");

  const [tab] = await Promise.all([context.waitForEvent("page"), link(page).click()]);
  await tab.getByLabel("User name").fill("somebody");
  assert.equal(await tab.getByLabel("E-mail").inputValue(), contact.email);
  await tab.getByRole("button", { name: "Register" }).click();
  await tab.getByRole("heading", { level: 1, name: `Welcome, ${contact.name}` }).waitFor();
  await picture(tab, "welcome");

  const [again] = await Promise.all([context.waitForEvent("page"), link(page).click()]);
  await again.getByLabel("User name").fill("somebody");
  await again.getByLabel("E-mail").fill(contact.email);
  await again.getByRole("button", { name: "Register" }).click();
  await again.getByRole("alert").getByText("used already").waitFor();

  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByText(contact.name).first().waitFor({ state: "detached" });
  await tab.getByRole("heading", { level: 1, name: "Welcome" }).waitFor();
  await openView(page, "Portal");
  await page.getByRole("region", { name: "Redemptions" }).getByRole("row", { name: `${contact.name} somebody` }).waitFor();
  await close();
});

test("what does not arrive comes back, and each leads to the other", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const bounces = ({ email }, index, all) => email === all.find(({ email }) => email?.endsWith(".invalid"))?.email;
  const { contacts: [contact] } = await invite(page, bounces);
  await read(page, contact);
  await page.getByRole("link", { name: "Read the report" }).click();
  await page.getByText(`Delivery has failed to ${contact.email}`).waitFor();
  await page.getByText("1 bounced").waitFor();
  await picture(page, "report");
  await page.locator(".letter .note a").click();
  await page.getByText("It did not arrive.").waitFor();
  await close();
});

test("a letter reads in dark, on a phone, as text, and alone in a tab", async () => {
  const { page, context, close } = await openPage(browser, sandbox.url, { shade: null });
  const { contacts: [contact] } = await invite(page, (contact, index, all) => contact === all.filter(isPlain)[1], {
    message: "Bring <b>cake</b>",
  });
  await read(page, contact);
  const look = () => sheet(page).locator("body").evaluate((body) => [getComputedStyle(body).backgroundColor, innerWidth]);
  const [light, wide] = await look();
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  await page.getByRole("radio", { name: "Phone" }).check({ force: true });
  assert.ok(wide > 500, `${wide}`);
  await until(look, ([dark, narrow]) => dark !== light && narrow < 400);
  await picture(page, "letter-dark-phone");
  await page.getByRole("radio", { name: "Plain text" }).check({ force: true });
  const text = await page.getByLabel("The letter as text").innerText();
  assert.match(text, /<http:\/\/127\.0\.0\.1:\d+\/register\?invitation=[\w-]{43}>/);
  assert.match(text, /Bring <b>cake<\/b>/);
  const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Open in a tab" }).click()]);
  await tab.getByText("Bring <b>cake</b>").waitFor();
  await close();
});

test("nothing in a letter runs, in the frame or alone in a tab", async () => {
  const { page, context, mistakes, close } = await openPage(browser, sandbox.url);
  const { contacts: [contact] } = await invite(page, (contact, index, all) => contact === all.filter(isPlain)[2]);
  const dialogs = [];
  context.on("dialog", (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
  const evil = `<img src="data:," onerror="alert(1)"><script>alert(2)</script><form action="https://evil.example"><button>Send</button></form>
    <a href="javascript:alert(3)" target="_self">here</a><a href="/register?invitation=x">out</a>`;
  const letter = /\/sandbox\/letters\/[^/]+\/[^/]+$/;
  await page.route(letter, (route) => route.fulfill({ contentType: "text/html", body: evil }));
  await read(page, contact);
  await sheet(page).getByRole("button", { name: "Send" }).click();
  await sheet(page).getByRole("link", { name: "here" }).click();
  await page.getByRole("radio", { name: "Plain text" }).check({ force: true });
  await page.getByLabel("The letter as text").waitFor();
  for (const blocked of [/Blocked script execution/, /Blocked form submission/]) {
    await until(() => mistakes, (mistakes) => mistakes.some((mistake) => blocked.test(mistake)));
  }
  assert.deepEqual(dialogs, []);

  const tab = await context.newPage();
  await tab.route(letter, async (route) => route.fulfill({ response: await route.fetch(), body: evil }));
  await tab.goto(new URL(await page.getByRole("link", { name: "Open in a tab" }).getAttribute("href"), sandbox.url).href);
  await tab.getByRole("button", { name: "Send" }).click();
  await tab.getByRole("link", { name: "here" }).click();
  assert.deepEqual(dialogs, []);
  assert.ok(!mistakes.some((mistake) => /^asked for/.test(mistake)), mistakes.join("\n"));
  mistakes.length = 0;
  await close();
});

test("letters are found by recipient, and a missing one is missed", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const { contacts } = await invite(page, (contact, index, all) => all.filter(isPlain).slice(3, 5).includes(contact));
  await openView(page, "Mailboxes");
  await page.getByLabel("Search").fill(contacts[0].email.toUpperCase());
  await letters(page).getByRole("link", { name: contacts[0].name }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".letters a").length === 1);
  await page.getByLabel("Search").fill("nobody of that name");
  await page.getByText("No letter here has “nobody of that name”.").waitFor();
  await page.goto(`${sandbox.url}#mailboxes/to/${contacts[1].email}`);
  await letters(page).getByRole("link", { name: contacts[1].name }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".letters a").length === 1);
  await page.goto(`${sandbox.url}#mailboxes/${SENDER}/gone`);
  await page.getByText("This letter is not in").waitFor();
  await close();
});

test("a mailbox that shall not work fails the doctor, and a refusal is told", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await openView(page, "Mailboxes");
  const state = page.getByLabel(`Graph answers for ${SENDER}`);
  const asked = () => page.evaluate(async () => (await import("/ask.js")).call("GET", "/api/doctor").then(({ text }) => text));
  await state.selectOption({ label: "404, there is no mailbox" });
  await page.getByRole("status").getByText("there is no mailbox").waitFor();
  assert.match(await asked(), /MailboxNotEnabledForRESTAPI|no mailbox|"ok":false/);
  await state.selectOption({ label: "as it should" });
  await page.getByRole("status").getByText("as it should").waitFor();
  await page.route("**/sandbox/mailboxes", (route) => route.fulfill({ status: 422, body: "Not today." }));
  await state.selectOption({ label: "507, the mailbox is full" });
  await page.getByRole("alert").getByText("Not today.").waitFor();
  // What the sandbox tells of the states before may still be on its way.
  await state.and(page.locator(":has(option[value=works]:checked)")).waitFor();
  assert.deepEqual(mistakes.splice(0).filter((mistake) => !/422/.test(mistake)), []);
  await close();
});

for (const [width, height] of [[375, 700], [1280, 900]]) {
  test(`axe finds nothing with letters, ${width} px wide, in both shades`, async () => {
    const { page, close } = await openPage(browser, sandbox.url, { width, height });
    await invite(page, (contact, index, all) => contact === all.filter(isPlain)[5]);
    const look = async (name) => {
      await page.evaluate(() => scrollTo(0, 0));
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, name);
      for (const colorScheme of ["dark", "light"]) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await mistakesOf(page), [], name);
        await picture(page, `${name}-${width}-${colorScheme}`);
      }
    };
    await openView(page, "Mailboxes");
    await letters(page).getByRole("link").first().waitFor();
    if (width < 400) await look("mailboxes");
    await letters(page).getByRole("link").first().click();
    await link(page).waitFor();
    await picture(page, `mailboxes-letter-${width}-light`);
    await page.getByRole("radio", { name: "Plain text" }).check({ force: true });
    await page.getByText("Headers, and what the mailbox keeps with it").click();
    await page.getByRole("rowheader", { name: "Message-ID" }).waitFor();
    await look("mailboxes-text");
    await close();
  });
}

test("a keyboard reads a letter on a phone and comes back", async () => {
  const { page, close } = await openPage(browser, sandbox.url, { width: 375, height: 700 });
  await invite(page, (contact, index, all) => contact === all.filter(isPlain)[5]);
  await openView(page, "Mailboxes");
  await letters(page).getByRole("link").first().focus();
  await page.keyboard.press("Enter");
  const heading = page.getByRole("article").getByRole("heading", { level: 2 });
  await heading.waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "subject");
  assert.equal(await letters(page).isVisible(), false);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await letters(page).waitFor();
  await close();
});
