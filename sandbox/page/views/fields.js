// Fields of a form: a label, a control, a line of help, and what the handler said was wrong with it.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";

/** A control under its label. `name` is that of the request's field; `control` gets the attributes that tie it to its texts. */
function field(name, { label, help, wrong }, control) {
  const described = [help && `${name}-help`, wrong && `${name}-wrong`].filter(Boolean).join(" ") || nothing;
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${control(described, wrong ? "true" : nothing)}
    ${help ? html`<span class="hint" id="${name}-help">${help}</span>` : nothing}
    ${wrong ? html`<span class="wrong" id="${name}-wrong">${label} ${wrong}.</span>` : nothing}
  </div>`;
}

/** A line of text, or of another type of input. */
export const line = (name, { value, onChange, type = "text", placeholder = "", list, ...texts }) =>
  field(name, texts, (described, invalid) => html`<input
    id=${name} type=${type} placeholder=${placeholder} autocomplete="off" spellcheck="false" list=${list ?? nothing}
    aria-describedby=${described} aria-invalid=${invalid} .value=${live(value)} @input=${({ target }) => onChange(target.value)} />`);

/** Several lines of text. */
export const lines = (name, { value, onChange, rows = 3, code = false, ...texts }) =>
  field(name, texts, (described, invalid) => html`<textarea
    id=${name} rows=${rows} class=${code ? "code" : ""} spellcheck=${code ? "false" : "true"}
    aria-describedby=${described} aria-invalid=${invalid} .value=${live(value)} @input=${({ target }) => onChange(target.value)}></textarea>`);

/** One of several, each a value and its words. */
export const choice = (name, { value, onChange, options, ...texts }) =>
  field(name, texts, (described, invalid) => html`<select
    id=${name} aria-describedby=${described} aria-invalid=${invalid} @change=${({ target }) => onChange(target.value)}>
    ${options.map(([key, words]) => html`<option value=${key} .selected=${live(key === value)}>${words}</option>`)}
  </select>`);

/** Yes or no. */
export const tick = (name, { value, onChange, label, help, wrong }) => html`<div class="field">
  <label class="check">
    <input id=${name} type="checkbox" .checked=${live(value)} aria-describedby="${name}-help" @change=${({ target }) => onChange(target.checked)} />
    ${label}
  </label>
  <span class="hint indent" id="${name}-help">${help}</span>
  ${wrong ? html`<span class="wrong indent">${label} ${wrong}.</span>` : nothing}
</div>`;
