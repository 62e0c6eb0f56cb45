// Invitations: every row of the environment as it changes, the batches that made them, and one of them in detail.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { guard } from "../vendor/lit-html/directives/guard.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { kept, moment } from "../parts.js";
import { changed, revisionOf, rowsOf } from "../world.js";
import { batchList } from "./batch-list.js";
import { batches } from "./batches.js";
import { choice, line } from "./fields.js";
import { detail, leave } from "./invitation.js";
import { plain } from "./people.js";
import { STANDINGS, standingChip, standingOf } from "./standings.js";

export const title = "Invitations";
export const feeds = ["contacts", "invitations", "choices"];

const PAGE = 200;
const look = { query: "", standing: "", batch: "", shown: PAGE };

const set = (name) => (value) => {
  Object.assign(look, { [name]: value, shown: PAGE });
  changed();
};

/** Every invitation with its contact's name and its standing, the newest first. */
const described = kept((rows, _rows, contacts, _contacts, minute) => {
  const name = (id) => contacts.get(id)?.name ?? (id ? "A contact that is gone" : "Whoever has the code");
  const all = [...rows.values()].map((row) => {
    const whom = name(row.contact);
    const email = contacts.get(row.contact)?.email ?? "";
    return { row, name: whom, email, text: plain(`${whom} ${email}`), standing: standingOf(row, minute * 60_000) };
  });
  return all.sort((one, other) => (one.row.created < other.row.created ? 1 : one.row.created > other.row.created ? -1 : one.row.id < other.row.id ? -1 : 1));
});

const matching = kept((all, query, standing, batch) => {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const fits = (entry) =>
    (!standing || entry.standing === standing) &&
    (!batch || String(entry.row.batch) === batch) &&
    words.every((word) => entry.text.includes(word));
  return all.filter(fits);
});

export function draw(id) {
  if (!id) leave();
  const minute = Math.floor(Date.now() / 60_000);
  const all = described(rowsOf("invitations"), revisionOf("invitations"), rowsOf("contacts"), revisionOf("contacts"), minute);
  const found = matching(all, look.query, look.standing, look.batch);
  const opened = id ? all.find(({ row }) => row.id === id) : undefined;
  return html`
    <p class="lead">The rows of <code>adx_invitation</code>, as they are in Dataverse now.</p>
    <div class="inviting ${id ? "split" : "stack"}">
      <div class="stack">
        ${batchList()}
        <section aria-label="Every invitation">
          ${all.length > 0 ? tools(all, found) : nothing} ${found.length > 0 ? table(found, id) : empty(all.length)}
        </section>
      </div>
      ${id ? html`<div class="detail-first">${detail(id, opened)}</div>` : nothing}
    </div>
  `;
}

const empty = (count) =>
  html`<div class="card empty">${count > 0 ? "Nothing matches." : html`There are no invitations yet. <a href="#contacts">Invite somebody</a>.`}</div>`;

function tools(all, found) {
  const count = (standing) => all.reduce((sum, entry) => sum + (entry.standing === standing), 0);
  const standings = Object.entries(STANDINGS).map(([key, { word }]) => [key, `${word} (${count(key)})`]);
  const numbers = batches().filter(({ total }) => total > 0).map(({ number, total }) => [String(number), `${number} (${total})`]);
  return html`
    <div class="tools three">
      ${line("query", { value: look.query, onChange: set("query"), label: "Search", type: "search", placeholder: "Name or e-mail" })}
      ${choice("standing", { value: look.standing, onChange: set("standing"), label: "Standing", options: [["", `Any (${all.length})`], ...standings] })}
      ${choice("batch", { value: look.batch, onChange: set("batch"), label: "Batch", options: [["", "Any"], ...numbers] })}
    </div>
    <p class="quiet" role="status">${found.length === all.length ? `${all.length} invitations` : `${found.length} of ${all.length} invitations match`}</p>
  `;
}

function table(found, opened) {
  const keys = [found, look.shown, opened, Math.floor(Date.now() / 60_000)];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Invitations">
    <table>
      <thead>
        <tr>
          <th scope="col">Contact</th>
          <th scope="col">Standing</th>
          <th scope="col">Expires</th>
          <th scope="col" class="roomy">Changed</th>
          ${opened ? nothing : html`<th scope="col" class="roomy">Redeemed by</th><th scope="col" class="roomy">Batch</th>`}
        </tr>
      </thead>
      <tbody>${guard(keys, () => repeat(found.slice(0, look.shown), ({ row }) => row.id, (entry) => entryRow(entry, opened)))}</tbody>
    </table>
    ${found.length > look.shown ? more(found.length) : nothing}
  </div>`;
}

const more = (count) => html`<p class="row more">
  <span class="quiet">The first ${look.shown} of ${count}.</span>
  <button @click=${() => ((look.shown += PAGE), changed())}>Show ${Math.min(PAGE, count - look.shown)} more</button>
</p>`;

function entryRow({ row, name, email, standing }, opened) {
  const redeemer = row.redeemedBy ? (rowsOf("contacts").get(row.redeemedBy)?.name ?? "A contact that is gone") : "";
  return html`<tr class=${row.id === opened ? "open" : ""}>
    <th scope="row"><a href="#invitations/${row.id}" aria-current=${row.id === opened ? "true" : nothing}>${name}</a> <span class="small quiet email">${email}</span></th>
    <td>${standingChip(standing, row)}</td>
    <td>${moment(row.expires)}</td>
    <td class="roomy quiet">${moment(row.modified)}</td>
    ${opened ? nothing : html`<td class="roomy">${redeemer}${row.redemptions > 1 ? ` (${row.redemptions} times)` : ""}</td><td class="roomy quiet small">${row.batch ?? ""}</td>`}
  </tr>`;
}
