// The view Contacts: searching and ticking among many, by keyboard too, and how it looks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openContacts, tickPlain } from "./contacts.mjs";
import { drawn, mistakesOf, picture, startBrowser, startSandbox } from "./stage.mjs";

const LOOKS = [[375, 740, "light"], [375, 740, "dark"], [1280, 900, "light"], [1280, 900, "dark"]];
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "300"] })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

test("who is ticked stays ticked while one searches", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, rows } = view;
  const word = (await rows.first().locator("label").textContent()).trim().split(" ")[0];
  await page.getByLabel("Search").fill(word.toUpperCase());
  const status = page.getByText(/^\d+ of 300 contacts match$/);
  const found = Number((await status.textContent()).split(" ")[0]);
  assert.ok(found > 0 && found < 300, `${found} have ${word}`);
  assert.equal(await rows.count(), found);
  for (const row of await rows.all()) assert.ok((await row.textContent()).toLowerCase().includes(word.toLowerCase()));
  await page.getByRole("checkbox", { name: `All ${found} that match` }).check();
  await page.getByLabel("Search").fill("nobody has such a name");
  await page.getByText("Nobody matches.").waitFor();
  await page.getByRole("button", { name: found === 1 ? "Invite 1 contact" : `Invite ${found} contacts` }).waitFor();
  await page.getByLabel("Search").fill("");
  await page.getByRole("checkbox", { name: "All 300 that match" }).check();
  await page.getByRole("button", { name: "Invite 300 contacts" }).waitFor();
  assert.equal(await rows.count(), 200);
  await page.getByRole("button", { name: "Show 100 more" }).click();
  await rows.nth(299).waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("button", { name: "Invite 0 contacts" }).waitFor();
  await view.close();
});

test("a keyboard invites", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, rows } = view;
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  const names = await tickPlain(view, 1);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.reload();
  await rows.first().waitFor();
  while (!(await page.evaluate(() => document.activeElement.type === "search"))) await press("Tab");
  await page.keyboard.type(names[0]);
  await drawn(page);
  assert.ok((await rows.count()) <= 20);
  while (!/^All \d+ that match$/.test(await focused())) await press("Tab");
  await press("Tab");
  await press("Space");
  while ((await focused()) !== "Invite 1 contact") await press("Tab");
  await press("Enter");
  await page.getByRole("heading", { name: "Done" }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "answer");
  await view.close();
});

test("axe finds nothing in a form with everything open", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  const names = await tickPlain(view, 2);
  await page.getByLabel("Search").fill(names[0]);
  for (const summary of await page.locator("summary").all()) await summary.click();
  await button("Dry run").click();
  await page.getByRole("heading", { name: "Dry run" }).waitFor();
  await page.getByLabel("FetchXML").first().check();
  for (const [width, height, shade] of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: shade });
    assert.deepEqual(await mistakesOf(page), [], `${width} px, ${shade}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${width} px`);
    await picture(page, `contacts-${width}-${shade}`);
  }
  await view.close();
});
