// The view Portal and the site's own pages: signing up by a letter's link, errors in words, switches, and redeeming for others.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { invite, isPlain } from "./invite.mjs";
import { drawn, mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "30"] })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

/** The plain person with this number among those who have no account yet. */
const plain = (number) => (contact, index, all) => contact === all.filter(isPlain)[number];
const site = (page) => page.frameLocator("iframe[title='The portal']");
const redemption = (page, name) => page.getByRole("region", { name: "Redemptions" }).getByRole("row", { name });

/** The link in the letter to a contact. */
const linkOf = (page, { email }) =>
  page.evaluate(async (email) => {
    const { onChange, rowsOf } = await import("/world.js");
    const letter = await new Promise((found) => {
      const look = () => {
        const letter = [...rowsOf("letters").values()].find(({ to, fate }) => to.includes(email) && fate === "delivered");
        if (letter) found(letter);
      };
      onChange(look);
      look();
    });
    const source = await (await fetch(`sandbox/letters/${letter.mailbox}/${letter.id}`)).text();
    return source.match(/http:\/\/127[^"\s]+\/register\?invitation=[\w-]{43}/)[0];
  }, email);

/** Shows an address in the frame by keyboard alone. */
async function show(page, address) {
  await page.getByLabel("Link, path or code").fill(address);
  await page.keyboard.press("Enter");
}

/** Shows the form with the code of a link, or with a code. */
async function showCode(page, address) {
  await show(page, address);
  const code = address.split("invitation=").at(-1);
  await site(page).locator(`input[name=invitation][value="${code}"]`).waitFor();
}

/** Draws the page as it is drawn at each event. */
async function redraw(page) {
  await page.evaluate(async () => (await import("/world.js")).changed());
  await drawn(page);
}

async function register(place, username, email) {
  await place.getByLabel("User name").fill(username);
  if (email) await place.getByLabel("E-mail").fill(email);
  await place.getByRole("button", { name: "Register" }).press("Enter");
}

test("a letter's link signs somebody up in the frame, and the list says so at once", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const { contacts: [contact] } = await invite(page, plain(0));
  const link = await linkOf(page, contact);
  await openView(page, "Portal");
  await page.getByText("Nobody has redeemed").waitFor();
  await showCode(page, link);
  await register(site(page), "first");
  await site(page).getByRole("heading", { name: `Welcome, ${contact.name}` }).waitFor();
  await redemption(page, `${contact.name} first`).waitFor();
  await picture(page, "portal-redeemed");
  await showCode(page, link);
  await register(site(page), "first", contact.email);
  await site(page).getByRole("alert").getByText("This invitation has been used already").waitFor();
  await showCode(page, "a-code-that-nobody-has");
  await register(site(page), "first", contact.email);
  await site(page).getByRole("alert").getByText("This code is not known here").waitFor();
  assert.equal(await site(page).getByLabel("Invitation code").inputValue(), "a-code-that-nobody-has");
  await close();
});

test("an address that somebody else has is taken", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const { contacts: [one, other] } = await invite(page, (...contact) => plain(1)(...contact) || plain(2)(...contact));
  await openView(page, "Portal");
  await showCode(page, await linkOf(page, one));
  await register(site(page), "second", other.email);
  await site(page).getByRole("alert").getByText("taken").waitFor();
  await register(site(page), "second", one.email);
  await redemption(page, `${one.name} second`).waitFor();
  await close();
});

test("only links of this site are shown", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await openView(page, "Portal");
  await show(page, "https://elsewhere.example/register?invitation=x");
  await page.getByRole("alert").getByText("leads to https://elsewhere.example").waitFor();
  assert.deepEqual(await mistakesOf(page), []);
  await show(page, "two words");
  await page.getByRole("alert").getByText("no spaces").waitFor();
  await show(page, "/nb-NO/profile");
  await site(page).getByRole("link", { name: "Redeem an invitation" }).click();
  await site(page).getByLabel("User name").waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  await close();
});

test("people are redeemed by name and in numbers, and never by code", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const { contacts } = await invite(page, (contact, index, all) => all.filter(isPlain).slice(3, 8).includes(contact));
  await openView(page, "Portal");
  await page.getByRole("button", { name: `Redeem as ${contacts[0].name}` }).press("Enter");
  await redemption(page, `${contacts[0].name} ${contacts[0].email}`).waitFor();
  await page.getByRole("status").getByText(`${contacts[0].name} has redeemed`).waitFor();
  await page.getByRole("button", { name: `Redeem as ${contacts[0].name}` }).waitFor({ state: "detached" });
  const open = await page.getByRole("list", { name: "Open invitations" }).getByRole("listitem").count();
  await page.getByLabel("How many").selectOption("50");
  await page.getByRole("button", { name: "Redeem them" }).click();
  await page.getByText(`${Math.floor(open / 2)} redeemed.`, { exact: true }).first().waitFor();
  const told = await page.evaluate(async () => {
    const { rowsOf } = await import("/world.js");
    return JSON.stringify(["open-invitations", "redemptions", "site"].map((name) => [...rowsOf(name).values()]));
  });
  assert.doesNotMatch(told, /[\w-]{43}/);
  await close();
});

test("the site's switches close it, and say what they are called", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  await invite(page, plain(2));
  await openView(page, "Portal");
  await page.getByText("Authentication/Registration/InvitationEnabled").waitFor();
  await page.getByLabel("Invitations can be redeemed").uncheck();
  await page.getByRole("status").getByText("Site settings changed").waitFor();
  await show(page, "/register");
  await site(page).getByText("This site takes no sign-ups").waitFor();
  await page.getByRole("button", { name: /^Redeem as / }).first().click();
  await page.getByRole("alert").getByText("Invitations are switched off").waitFor();
  await picture(page, "portal-closed");
  await page.getByLabel("Invitations can be redeemed").check();
  await page.getByLabel("The site is private").check();
  await page.getByText("sent to sign in to the organisation").waitFor();
  await page.locator("iframe").waitFor({ state: "detached" });
  await page.getByLabel("The site is private").uncheck();
  await page.getByLabel("Languages").fill("danish");
  await redraw(page);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("“danish” is not a language").waitFor();
  assert.equal(await page.getByLabel("Languages").inputValue(), "danish");
  await page.getByLabel("Languages").fill("da, en-US");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("“danish”").waitFor({ state: "detached" });
  await page.reload();
  const field = await page.getByLabel("Languages").elementHandle();
  await page.waitForFunction((field) => field.value === "da, en-us", field);
  assert.deepEqual(mistakes.splice(0).filter((mistake) => !/status of (404|422)/.test(mistake)), []);
  await close();
});

for (const [width, height] of [[375, 700], [1280, 900]]) {
  test(`axe finds nothing in the portal, ${width} px wide, in both shades`, async () => {
    const { page, context, close } = await openPage(browser, sandbox.url, { width, height });
    const { contacts: [contact] } = await invite(page, plain(8));
    const look = async (tab, name) => {
      assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, name);
      for (const colorScheme of ["dark", "light"]) {
        await tab.emulateMedia({ colorScheme });
        assert.deepEqual(await mistakesOf(tab), [], name);
        await picture(tab, `${name}-${width}-${colorScheme}`);
      }
    };
    const link = await linkOf(page, contact);
    await openView(page, "Portal");
    await page.getByRole("list", { name: "Open invitations" }).waitFor();
    await look(page, "portal");
    const tab = await context.newPage();
    await tab.goto(await page.getByRole("link", { name: "Open in a tab" }).getAttribute("href"));
    await tab.getByRole("link", { name: "Redeem an invitation" }).click();
    await tab.getByLabel("Invitation code").fill("wrong");
    await register(tab, "somebody", contact.email);
    await tab.getByRole("alert").waitFor();
    await look(tab, "site-error");
    await tab.goto(link);
    await register(tab, `axe-${width}`);
    await tab.getByRole("button", { name: "Sign out" }).waitFor();
    await look(tab, "site-welcome");
    await close();
  });
}
