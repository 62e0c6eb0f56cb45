// The view Contacts: the request, what is sent for it, and how the answer reads.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { openContacts, tickPlain } from "./contacts.mjs";
import { mistakesOf, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "60"], settings: { ALLOW_LINKS: "true" } })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

test("two who are ticked are checked first, then invited", async () => {
  const view = await openContacts(browser, sandbox);
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
  for (const name of names) await view.rows.filter({ hasText: name }).getByText("invited", { exact: true }).first().waitFor();
  await picture(page, "contacts-invited-1280-light");
  await results.getByRole("link", { name: names[0] }).first().click();
  await page.getByRole("heading", { level: 2, name: `Invitation of ${names[0]}` }).waitFor();
  await view.close();
});

test("the same request again leads to the same batch, and another one gets another key", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  await tickPlain(view, 1);
  const key = () => page.getByLabel("Idempotency-Key").inputValue();
  const first = await key();
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "Done" }).waitFor();
  const batch = (await page.getByText(/^Batch \d+/).textContent()).match(/\d+/)[0];
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "The same request" }).waitFor();
  assert.equal((await page.getByText(/^Batch \d+/).textContent()).match(/\d+/)[0], batch);
  assert.equal(await key(), first);
  await page.getByLabel("Message", { exact: true }).fill("Welcome");
  await page.waitForFunction((first) => document.getElementById("key").value !== first, first);
  await view.close();
});

test("the curl line is the request that the button sends", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  await tickPlain(view, 1);
  await page.getByLabel("Message", { exact: true }).fill("It's $HOME, `here`\nand \"there\" \\ æøå %s");
  await page.getByRole("button", { name: "Copy curl line" }).click();
  await page.getByRole("status").getByText(": copied").waitFor();
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
  const view = await openContacts(browser, sandbox, { width: 375, height: 740, shade: "dark" });
  const { page, button } = view;
  const names = await tickPlain(view, 1);
  await page.getByLabel("Or until").fill("2020-01-31");
  await button("Invite 1 contact").click();
  await page.getByRole("heading", { name: "It was refused" }).waitFor();
  const field = page.getByLabel("Or until");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await page.locator("#expiresOn-wrong").getByText("must not be a day that is over").waitFor();
  await page.getByLabel("Search").fill(names[0]);
  assert.deepEqual(await mistakesOf(page), []);
  await picture(page, "contacts-refused-375-dark");
  view.forgive(400);
  await field.fill("");
  await page.locator("#expiresOn-wrong").waitFor({ state: "detached" });
  await view.close();
});

test("whom a filter finds is invited without a tick", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, rows, button } = view;
  const address = (await rows.locator(".email").filter({ hasText: /@.+\.example/ }).last().textContent()).trim();
  await page.getByLabel("A filter").check();
  await page.getByLabel("Filter", { exact: true }).fill(`emailaddress1 eq '${address}'`);
  await button("Dry run").click();
  await page.getByRole("heading", { name: "Dry run" }).waitFor();
  assert.match(await page.getByRole("list", { name: "Counts" }).textContent(), /1 (would be invited|skipped)/);
  await page.getByLabel("FetchXML").first().check();
  const answered = page.waitForResponse(/host\/api\/invitations/);
  await button("Dry run").click();
  assert.equal((await (await answered).json()).counts.requested, 10);
  await view.close();
});

test("whoever is in a saved view is invited", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  await page.getByLabel("A saved view of contacts").check();
  await page.getByLabel("View", { exact: true }).selectOption({ index: 1 });
  const answered = page.waitForResponse(/host\/api\/invitations/);
  await button("Dry run").click();
  const answer = await answered;
  assert.equal(answer.status(), 200);
  assert.deepEqual(Object.keys(answer.request().postDataJSON().view), ["id"]);
  await view.close();
});

test("links instead of letters are handed over", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  await tickPlain(view, 1);
  await page.getByText("The letter", { exact: true }).click();
  await page.getByLabel("Links instead of letters").check();
  await button("Invite 1 contact").click();
  await page.getByText("1 link made").waitFor();
  const link = await page.getByRole("link", { name: "Open the link" }).getAttribute("href");
  assert.match(link, /\/register\?invitation=[\w-]{43}$/);
  await view.close();
});
