// One letter as its reader gets it: in a frame where nothing runs, in both shades and widths, or as text alone.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { chip, choices, moment } from "../parts.js";
import { changed } from "../world.js";
import { plain } from "./plain.js";

const look = { as: "letter", width: "desktop", shade: "light" };
/** The letter that was opened last, and what was fetched of it. */
let open = {};

/** Where a letter is shown on this page. */
export const addressOf = ({ mailbox, id }) => `#mailboxes/${encodeURIComponent(mailbox)}/${encodeURIComponent(id)}`;

const sourceOf = ({ mailbox, id }) => `sandbox/letters/${encodeURIComponent(mailbox)}/${encodeURIComponent(id)}`;

/** Draws a letter, its `fate` as words and kind, the letter that a report is `about`, and the `report` on a lost one. */
export function drawLetter(letter, { fate, about, report }) {
  if (open.id !== letter.id) fetchLetter(letter);
  return html`
    <article class="card letter" aria-labelledby="subject">
      <h2 id="subject" tabindex="-1" dir="auto">${letter.subject || "(no subject)"}</h2>
      <dl class="facts">
        <dt>From</dt><dd>${letter.from}</dd>
        <dt>To</dt><dd dir="auto">${recipients(letter)}</dd>
        ${open.head?.replyTo.length ? html`<dt>Replies go to</dt><dd>${open.head.replyTo.join(", ")}</dd>` : nothing}
        <dt>When</dt><dd>${moment(letter.at)} ${fate ? chip(...fate) : nothing} ${letter.deliveries > 1 ? chip(`${letter.deliveries} times`, "warn") : nothing}</dd>
      </dl>
      ${letter.isReport ? reported(about) : nothing}
      ${report ? html`<p class="note bad">It did not arrive. <a href=${addressOf(report)}>Read the report</a></p>` : nothing}
      ${letter.isReport ? text() : written(letter)}
      ${details()}
    </article>
  `;
}

function recipients({ to, toName }) {
  const addresses = to.join(", ");
  return toName && toName !== addresses ? `${toName} <${addresses}>` : addresses;
}

const reported = (letter) =>
  letter
    ? html`<p class="note">About the letter to ${letter.to.join(", ")}: <a href=${addressOf(letter)} dir="auto">${letter.subject}</a></p>`
    : html`<p class="note">It names no letter of this mailbox.</p>`;

function written(letter) {
  const set = (name) => (value) => {
    look[name] = value;
    changed();
  };
  return html`
    <div class="row apart">
      <div class="row">
        ${choices("Shown as", [["letter", "Letter"], ["text", "Plain text"]], look.as, set("as"))}
        ${look.as === "text"
          ? nothing
          : html`${choices("Width", [["desktop", "Desktop"], ["phone", "Phone"]], look.width, set("width"))}
              ${choices("Colours", [["light", "Light"], ["dark", "Dark"]], look.shade, set("shade"))}`}
      </div>
      <a class="button" href=${sourceOf(letter)} target="_blank">Open in a tab</a>
    </div>
    ${look.as === "text" ? text() : frame(letter)}
  `;
}

/** A frame of its own for each letter: one that goes elsewhere would fill the browser's history. */
const frame = (letter) =>
  keyed(
    letter.id,
    html`<iframe
      class="sheet ${look.width} ${look.shade}"
      sandbox="allow-popups allow-popups-to-escape-sandbox"
      src=${sourceOf(letter)}
      title="The letter"
    ></iframe>`,
  );

function text() {
  if (open.error) return html`<p class="note bad" role="alert">${open.error}</p>`;
  return html`<pre class="sheet-text" tabindex="0" aria-label="The letter as text" dir="auto">${open.text ?? "…"}</pre>`;
}

const details = () => html`
  <details>
    <summary>Headers, and what the mailbox keeps with it</summary>
    ${open.head ? table("Headers that travel with the letter", open.head.headers) : nothing}
    ${open.head ? table("Extended properties, which stay in the mailbox", Object.entries(open.head.properties)) : nothing}
  </details>
`;

const table = (caption, rows) =>
  rows.length === 0
    ? nothing
    : html`<table class="small values">
        <caption>${caption}</caption>
        ${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}
      </table>`;

async function fetchLetter(letter) {
  const mine = (open = { id: letter.id });
  try {
    const [body, head] = await Promise.all([get(sourceOf(letter)), get(`${sourceOf(letter)}/head`)]);
    const source = await body.text();
    mine.text = body.headers.get("content-type").startsWith("text/html") ? plain(source) : source;
    mine.head = await head.json();
  } catch {
    mine.error = "The letter could not be fetched. Open it again in a moment.";
  }
  changed();
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer;
}
