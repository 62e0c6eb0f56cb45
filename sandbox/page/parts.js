// Pieces that several views use: moments, texts to copy, and what is said to those who do not see it.

import { html } from "./vendor/lit-html/lit-html.js";
import { live } from "./vendor/lit-html/directives/live.js";
import { changed } from "./world.js";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const near = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** How far a moment is from now, such as "3 days ago", with the moment itself as its title. */
export function moment(text) {
  if (!text) return html`<span class="quiet">never</span>`;
  const seconds = (new Date(text) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return html`<time datetime=${text} title=${exact.format(new Date(text))}>${near.format(Math.trunc(seconds / size), unit)}</time>`;
}

let words = "";

/** Says a text to who listens instead of looking. */
export function say(text) {
  words = text;
  changed();
}

/** What was said last. */
export const said = () => words;

/** A text as it is, and a button that copies it, or the whole of which it is a part. */
export const copyable = (text, label, whole = text) => html`
  <div class="copyable">
    <p>${label}<button @click=${() => copy(whole, label)}>Copy<span class="aloud"> ${label}</span></button></p>
    <pre tabindex="0" aria-label=${label}>${text}</pre>
  </div>
`;

async function copy(text, label) {
  await navigator.clipboard.writeText(text);
  say(`${label}: copied`);
}

/** A few words on a coloured ground; `kind` is "good", "warn", "bad", "info" or nothing. */
export const chip = (text, kind = "") => html`<span class="chip ${kind}">${text}</span>`;

/** A function that computes anew only when one of its arguments is another one. */
export function kept(compute) {
  let known;
  let value;
  return (...keys) => {
    if (!known || keys.some((key, place) => key !== known[place])) {
      value = compute(...keys);
      known = keys;
    }
    return value;
  };
}

/** One of a few: `options` are pairs of a value and its words; `pick` gets the value that is chosen. */
export const choices = (legend, options, current, pick) => html`
  <fieldset class="choices">
    <legend class="aloud">${legend}</legend>
    ${options.map(
      ([value, text]) => html`<label>
        <input type="radio" name=${legend} .checked=${live(value === current)} @change=${() => pick(value)} /><span>${text}</span>
      </label>`,
    )}
  </fieldset>
`;
