// A form that adds a contact, as somebody in the environment enters one; Dataverse tells the handler of it.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { tell } from "../ask.js";
import { say } from "../parts.js";
import { changed } from "../world.js";

/** Languages with letters in the package by the number that Dataverse has for them, and one without. */
const LANGUAGES = [
  [1033, "English"], [1025, "Arabic"], [1030, "Danish"], [1036, "French"], [1031, "German"], [1044, "Norwegian"],
  [3082, "Spanish"], [1053, "Swedish"], [1040, "Italian (has no letter)"],
];

/** What became of the last one: `added`, a name, or `refused`, a sentence. */
let last = {};

/** The form, folded away until somebody wants it. */
export const newcomer = () => html`
  <details class="card" style="margin-top: 1rem">
    <summary>Add a contact</summary>
    <form class="stack" style="margin-top: .75rem" @submit=${add}>
      <div style="display: grid; gap: .75rem 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr))">
        <label>First name <input name="firstName" maxlength="50" autocomplete="off" /></label>
        <label>Last name <input name="lastName" maxlength="50" autocomplete="off" required /></label>
        <label>E-mail address <input name="email" maxlength="100" autocomplete="off" spellcheck="false" /></label>
        <label>Preferred language
          <select name="language">
            <option value="">Never said</option>
            ${LANGUAGES.map(([number, name]) => html`<option value=${number}>${name}</option>`)}
          </select>
        </label>
      </div>
      <p class="hint" style="margin: 0">Any text passes as an address, as in real life; letters to .invalid bounce. Who meets
        AUTO_INVITE_FILTER is invited without being asked.</p>
      <div class="row"><button class="primary">Add contact</button></div>
      ${last.added ? html`<p class="note good" style="margin: 0">${last.added} is a contact now.</p>` : nothing}
      ${last.refused ? html`<p class="note bad" style="margin: 0" role="alert">${last.refused}</p>` : nothing}
    </form>
  </details>
`;

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const { language, ...texts } = Object.fromEntries(new FormData(form));
  try {
    await tell("contacts", { ...texts, language: language ? Number(language) : null });
    last = { added: `${texts.firstName} ${texts.lastName}`.trim() };
    form.reset();
    form.elements.firstName.focus();
    say(`${last.added} was added`);
  } catch (error) {
    last = { refused: error.message };
  }
  changed();
}
