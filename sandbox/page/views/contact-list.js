// The list of contacts: what is looked for, who is ticked, and how each one stands.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { guard } from "../vendor/lit-html/directives/guard.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chip, moment } from "../parts.js";
import { changed } from "../world.js";
import { choice, line } from "./fields.js";
import { STANDINGS, languageName, matching, oddity, people } from "./people.js";

const PAGE = 200;
const look = { query: "", standing: "", shown: PAGE };

/** The ids of those who are ticked, in the order in which they were; and how often that changed. */
export const picked = new Set();
export let picks = 0;

function pick(ids, on) {
  for (const id of ids) on ? picked.add(id) : picked.delete(id);
  picks += 1;
  changed();
}

/** Ticks nobody. */
export const pickNone = () => pick([...picked], false);

const search = (change) => {
  Object.assign(look, change, { shown: PAGE });
  changed();
};

export function contactList() {
  const all = people();
  const found = matching(all, look.query, look.standing);
  return html`
    <div class="tools">
      ${line("query", { value: look.query, onChange: (query) => search({ query }), label: "Search", type: "search", placeholder: "Name or e-mail" })}
      ${choice("standing", { value: look.standing, onChange: (standing) => search({ standing }), label: "Standing", options: standings(all) })}
    </div>
    <p class="quiet" role="status">${found.length === all.length ? `${all.length} contacts` : `${found.length} of ${all.length} contacts match`}</p>
    ${found.length > 0 ? table(found) : html`<div class="card empty">${all.length > 0 ? "Nobody matches." : "There are no contacts yet."}</div>`}
  `;
}

function standings(all) {
  const count = (standing) => all.reduce((sum, person) => sum + (person.standing === standing), 0);
  return [["", `Any (${all.length})`], ...Object.keys(STANDINGS).map((standing) => [standing, `${standing} (${count(standing)})`])];
}

function table(found) {
  const ticked = found.reduce((sum, { contact }) => sum + picked.has(contact.id), 0);
  const every = ticked === found.length;
  const all = () => pick(found.map(({ contact }) => contact.id), !every);
  const some = ticked > 0 && !every;
  return html`
    <div class="scroll contacts" tabindex="0" role="region" aria-label="Contacts">
      <table>
        <thead>
          <tr>
            <th scope="col" class="tick">
              <input type="checkbox" aria-label="All ${found.length} that match" .checked=${live(every)} .indeterminate=${live(some)} @change=${all} />
            </th>
            <th scope="col">Contact</th>
            <th scope="col" class="roomy">Language</th>
            <th scope="col">Standing</th>
          </tr>
        </thead>
        <tbody>${guard([found, look.shown, picks, Math.floor(Date.now() / 60_000)], () => repeat(found.slice(0, look.shown), ({ contact }) => contact.id, row))}</tbody>
      </table>
      ${found.length > look.shown ? more(found.length) : nothing}
    </div>
  `;
}

const more = (count) => html`<p class="row more">
  <span class="quiet">The first ${look.shown} of ${count}.</span>
  <button @click=${() => ((look.shown += PAGE), changed())}>Show ${Math.min(PAGE, count - look.shown)} more</button>
</p>`;

function row(person) {
  const { contact } = person;
  const { id, name, email } = contact;
  const ticked = picked.has(id);
  const odd = oddity(contact);
  const toggle = ({ target }) => target.closest("a, input, label") || pick([id], !picked.has(id));
  return html`<tr class=${ticked ? "ticked" : ""} @click=${toggle}>
    <td class="tick"><input type="checkbox" id="pick-${id}" .checked=${live(ticked)} @change=${({ target }) => pick([id], target.checked)} /></td>
    <th scope="row">
      <label for="pick-${id}">${name ?? "Without a name"}</label>
      <span class="small quiet email">${email ?? ""}</span> ${odd ? chip(odd, "warn") : nothing}
    </th>
    <td class="roomy quiet">${languageName(contact.language)}</td>
    <td>${standing(person)}</td>
  </tr>`;
}

function standing({ standing, invitation }) {
  const about = invitation && (standing === "invited" || standing === "expired") ? invitation : undefined;
  const words = about?.standing === "new" ? "letter not sent yet" : about?.row.expires ? html`${standing === "expired" ? "" : "expires "}${moment(about.row.expires)}` : "";
  return html`${chip(standing, STANDINGS[standing])}
    ${about ? html`<a class="small block" href="#invitations/${about.row.id}">${words || "open"}</a>` : nothing}`;
}
