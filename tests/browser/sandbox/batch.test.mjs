// A batch as the page shows it: while its caller waits, when it goes on without one, and at its end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openContacts, tickPlain } from "./contacts.mjs";
import { mistakesOf, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

let browser;
let sandbox;

before(async () => {
  const settings = { INLINE_SECONDS: "1", MAIL_RATE_PER_MINUTE: "1000" };
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox({ flags: ["--contacts", "60"], settings })]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

test("a batch is followed while its caller waits, and when it goes on without one", async () => {
  const view = await openContacts(browser, sandbox);
  const { page, button } = view;
  const tell = (path, body) =>
    page.evaluate(([path, body]) => fetch(`sandbox/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).then((answer) => answer.ok), [path, body]);
  await tickPlain(view, 30);
  assert.ok(await tell("faults", { kind: "slow", service: "graph", milliseconds: 10_000 }));
  await button("Invite 30 contacts").click();
  await button("Inviting…").waitFor();
  await openView(page, "Invitations");
  await page.getByText("at work").waitFor();
  await page.getByText(/30 new, of 30|sent · \d+ new, of 30/).waitFor();
  await picture(page, "invitations-at-work-1280-light");
  await openView(page, "Contacts");
  await page.getByRole("heading", { name: "Accepted, and going on" }).waitFor();
  await page.getByRole("progressbar", { name: "Progress" }).waitFor();
  assert.deepEqual(await mistakesOf(page), []);
  await tell("faults/end", { id: "all" });
  await tell("timers", { names: ["function-dispatch"] });
  await page.getByRole("heading", { name: "Done" }).waitFor();
  await page.getByRole("list", { name: "Counts" }).getByText("30 sent").waitFor();
  await view.close();
});
