// What tests of the view Contacts do in it.

import assert from "node:assert/strict";
import { openPage } from "./stage.mjs";

/** Opens the view and waits for the contacts. */
export async function openContacts(browser, sandbox, look) {
  const opened = await openPage(browser, sandbox.url, look);
  const { page, mistakes } = opened;
  await page.getByText(/^[1-9]\d* contacts$/).waitFor();
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

/** Ticks so many contacts who were never invited and can get a letter, no two with one name or address; their names. */
export async function tickPlain({ rows }, wanted) {
  const names = [];
  const addresses = new Set();
  for (const row of await rows.all()) {
    const address = (await row.locator(".email").textContent()).trim().toLowerCase();
    const name = (await row.locator("label").textContent()).trim();
    const chips = await row.locator(".chip").allTextContents();
    if (chips.join() !== "not invited" || addresses.has(address) || names.includes(name)) continue;
    addresses.add(address);
    names.push(name);
    await row.getByRole("checkbox").check();
    if (names.length === wanted) return names;
  }
  throw new Error(`there are only ${names.length} contacts to tick`);
}
