// The view Contacts: whom a person picks, what is sent for it, and how the answer reads.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { mistakesOf, openPage, picture, startBrowser, startSandbox } from "./stage.mjs";

const LOOKS = [[375, 740, "light"], [375, 740, "dark"], [1280, 900, "light"], [1280, 900, "dark"]];
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "300"] })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

/** Opens the view and waits for the contacts. */
async function openContacts(look) {
  const opened = await openPage(browser, sandbox.url, look);
  const { page, mistakes } = opened;
  await page.getByText("300 contacts", { exact: true }).waitFor();
  const list = page.getByRole("region", { name: "Contacts", exact: true });
  const rows = list.locator("tbody tr");
  const button = (name) => page.getByRole("button", { name });
  /** Forgets a refusal that the console reports, once it was there. */
  const forgive = (status) => {
    const place = mistakes.findIndex((text) => text.includes(`status of ${status}`));
    assert.notEqual(place, -1, `no answer was ${status}: ${mistakes}`);
    mistakes.splice(place, 1);
  };
  return { ...opened, list, rows, button, forgive };
}

/** Ticks so many contacts who were never invited and can get a letter, no two with one address; their names. */
async function tickPlain({ page, rows }, wanted) {
  await page.getByLabel("Standing").selectOption("not invited");
  const names = [];
  const addresses = new Set();
  for (const row of await rows.all()) {
    const address = (await row.locator(".address").textContent()).trim().toLowerCase();
    if ((await row.locator(".chip.warn").count()) > 0 || addresses.has(address)) continue;
    addresses.add(address);
    names.push((await row.locator("label").textContent()).trim());
    await row.getByRole("checkbox").check();
    if (names.length === wanted) return names;
  }
  throw new Error(`there are only ${names.length} contacts to tick`);
}

test("two who are ticked are checked first, then invited", async () => {
  const view = await openContacts();
  const { page, button } = view;
  const names = await tickPlain(view, 2);
  await button("Dry run").click();
  await page.getByRole("heading", { name: "Dry run: nothing was written" }).waitFor();
  await page.getByText("2 would be invited").waitFor();
  await button("Invite 2 contacts").click();
  await page.getByRole("heading", { name: "Done" }).waitFor();
  assert.deepEqual(await page.getByRole("list", { name: "Counts" }).getByRole("listitem").allTextContents(), ["2 sent"]);
  const results = page.getByRole("region", { name: "Results" });
  assert.deepEqual((await results.getByRole("rowheader").allTextContents()).map((name) => name.trim()), names);
  await page.getByLabel("Standing").selectOption("invited");
  await page.getByText("2 of 300 contacts match").waitFor();
  await picture(page, "contacts-invited-1280-light");
  await results.getByRole("link", { name: names[0] }).first().click();
  await page.getByRole("heading", { level: 2, name: `Invitation of ${names[0]}` }).waitFor();
  await view.close();
});

test("the same request again leads to the same batch, and another one gets another key", async () => {
  const view = await openContacts();
  const { page, button } = view;
  await tickPlain(view, 1);
  const key = () => page.getByLabel("Idempotency-Key").inputValue();
  const first = await key();
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "Done" }).waitFor();
  const batch = await page.getByText(/^Batch \d+/).textContent();
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "The same request" }).waitFor();
  assert.equal(await page.getByText(/^Batch \d+/).textContent(), batch);
  assert.equal(await key(), first);
  await page.getByLabel("Message", { exact: true }).fill("Welcome");
  await page.waitForFunction((first) => document.getElementById("key").value !== first, first);
  await view.close();
});

test("the curl line is the request that the button sends", async () => {
  const view = await openContacts();
  const { page, button } = view;
  await tickPlain(view, 1);
  await page.getByLabel("Message", { exact: true }).fill("It's $HOME, `here`\nand \"there\" \\ æøå %s");
  await page.getByRole("button", { name: "Copy curl line" }).click();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  const byCurl = JSON.parse(execFileSync("sh", ["-c", line], { encoding: "utf8" }));
  assert.equal(byCurl.counts.sent, 1, JSON.stringify(byCurl));
  const sent = page.waitForRequest(/host\/api\/invitations/);
  await button("Invite 1 contact").click();
  const request = await sent;
  // The key is the same: with another body the handler would refuse it, with this one it finds curl's batch.
  await page.getByText(`Batch ${byCurl.batch}`).waitFor();
  assert.ok(line.includes(request.headers()["idempotency-key"]));
  assert.equal(request.postDataJSON().message, "It's $HOME, `here`\nand \"there\" \\ æøå %s");
  await view.close();
});

test("a refusal stands in words beside the field that it is about", async () => {
  const view = await openContacts({ width: 375, height: 740, shade: "dark" });
  const { page, button } = view;
  const names = await tickPlain(view, 1);
  await page.getByLabel("Or until").fill("2020-01-31");
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "It was refused" }).waitFor();
  const field = page.getByLabel("Or until");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await page.locator("#expiresOn-wrong").getByText("must not be over").waitFor();
  await page.getByLabel("Search").fill(names[0]);
  assert.deepEqual(await mistakesOf(page), []);
  await picture(page, "contacts-refused-375-dark");
  view.forgive(400);
  await field.fill("");
  assert.equal(await page.locator("#expiresOn-wrong").count(), 0);
  await view.close();
});

test("whom a filter finds is invited without a tick", async () => {
  const view = await openContacts();
  const { page, rows, button } = view;
  const address = (await rows.locator(".address").filter({ hasText: /@.+\.example/ }).last().textContent()).trim();
  await page.getByLabel("A filter").check();
  await page.getByLabel("Filter", { exact: true }).fill(`emailaddress1 eq '${address}'`);
  await button("Dry run").click();
  await page.getByRole("heading", { name: "Dry run" }).waitFor();
  assert.match(await page.getByRole("list", { name: "Counts" }).textContent(), /1 (would be invited|skipped)/);
  await page.getByLabel("FetchXML").first().check();
  await button("Dry run").click();
  await page.getByText("would be invited").first().waitFor();
  await view.close();
});

test("who is ticked stays ticked while one searches", async () => {
  const view = await openContacts();
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
  const view = await openContacts();
  const { page, rows } = view;
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  const names = await tickPlain(view, 1);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.reload();
  await rows.first().waitFor();
  while (!(await page.evaluate(() => document.activeElement.type === "search"))) await press("Tab");
  await page.keyboard.type(names[0]);
  while ((await rows.count()) > 20) await page.evaluate(() => new Promise(requestAnimationFrame));
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
  const view = await openContacts();
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
