// A contact that is added on the page, and invited by rule.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../until.mjs";
import { mistakesOf, openPage, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  const settings = { AUTO_INVITE_FILTER: "endswith(emailaddress1,'@post.test')", DISPATCH_SCHEDULE: "*/1 * * * * *" };
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "5"], settings })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

/** Unfolds the form by keyboard and gives its fields. */
async function unfold(page) {
  const summary = page.locator("summary", { hasText: "Add a contact" });
  await summary.focus();
  await page.keyboard.press("Enter");
  const field = (name) => page.getByLabel(name, { exact: true });
  await field("First name").waitFor();
  return field;
}

test("a contact is added by keyboard, and whoever meets the rule is invited", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  const field = await unfold(page);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Kim");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Larsen");
  await page.keyboard.press("Tab");
  await page.keyboard.type("kim@post.test");
  await page.getByRole("combobox", { name: "Preferred language" }).selectOption("Danish");
  await field("E-mail address").press("Enter");
  await page.getByText("Kim Larsen is a contact now.").waitFor();
  await page.getByRole("rowheader", { name: "Kim Larsen" }).waitFor();
  assert.equal(await field("First name").inputValue(), "");
  const letter = () => sandbox.said.find((line) => line.includes("to kim@post.test"));
  assert.match(await until(letter, Boolean), /invit/i);
  await close();
});

test("what does not fit is refused in words", async () => {
  const { page, mistakes, close } = await openPage(browser, sandbox.url);
  const field = await unfold(page);
  await field("Last name").fill(" ");
  await page.getByRole("button", { name: "Add contact" }).click();
  await page.getByRole("alert").getByText("A contact needs a last name.").waitFor();
  assert.deepEqual(await mistakesOf(page), []);
  // The browser writes each refused request to its console.
  mistakes.splice(0, mistakes.length, ...mistakes.filter((text) => !text.includes("422")));
  await close();
});

for (const [width, shade] of [[375, "dark"], [1280, "light"]]) {
  test(`axe finds nothing in the form, ${width} px wide, ${shade}`, async () => {
    const { page, close } = await openPage(browser, sandbox.url, { width, shade });
    await unfold(page);
    // Where the page is scrolled, the views' bar lies over text.
    await page.evaluate(() => scrollTo(0, 0));
    assert.deepEqual(await mistakesOf(page), []);
    await page.getByRole("button", { name: "Add contact" }).scrollIntoViewIfNeeded();
    await picture(page, `newcomer-${width}-${shade}`);
    await close();
  });
}
