// Contacts: whom there is to invite.

import { html } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { rowsOf } from "../world.js";

export const title = "Contacts";
export const feeds = ["contacts"];

export function draw() {
  const contacts = [...rowsOf("contacts").values()];
  return html`
    <p class="lead">${contacts.length} contacts</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Contacts">
      <table>
        <thead><tr><th scope="col">Name</th><th scope="col">E-mail</th></tr></thead>
        <tbody>
          ${repeat(contacts, ({ id }) => id, (contact) => html`<tr><th scope="row">${contact.name}</th><td>${contact.email ?? "none"}</td></tr>`)}
        </tbody>
      </table>
    </div>
  `;
}
