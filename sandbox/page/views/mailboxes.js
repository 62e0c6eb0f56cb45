// Mailboxes: what each sender sent, drafted and got back, and whether Graph lets anybody use it.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { tell } from "../ask.js";
import { chip, choices, moment, say } from "../parts.js";
import { changed, rowsOf } from "../world.js";
import { addressOf, drawLetter } from "./letter.js";

export const title = "Mailboxes";
export const feeds = ["mailboxes", "letters"];

const PAGE = 100;
const FOLDERS = [["sent", "Sent"], ["drafts", "Drafts"], ["inbox", "Inbox"]];
const STATES = [
  ["works", "as it should"],
  ["denied", "403, the app may not use it"],
  ["gone", "404, there is no mailbox"],
  ["full", "507, the mailbox is full"],
];
const FATES = {
  draft: ["not sent", ""],
  underway: ["on its way", "info"],
  delivered: ["delivered", "good"],
  lost: ["bounced", "bad"],
};

const opened = Date.now();
const known = new Set();
const unread = new Set();
let folder = "sent";
let words = "";
let most = PAGE;
let trouble = "";

/** Letters that came since the page was opened, in the head of every view. */
export function status() {
  for (const { id, fate, at } of rowsOf("letters").values()) {
    if (known.has(id) || fate === "draft" || fate === "underway") continue;
    known.add(id);
    if (Date.parse(at) >= opened) unread.add(id);
  }
  if (unread.size === 0) return nothing;
  return html`<a class="chip info" href="#mailboxes">${unread.size} new ${unread.size === 1 ? "letter" : "letters"}</a>`;
}

export function draw(rest) {
  const [mailbox, id] = rest.split("/");
  const letters = [...rowsOf("letters").values()];
  const own = mailbox ? letters.filter((letter) => letter.mailbox === mailbox) : letters;
  const letter = id && rowsOf("letters").get(id);
  if (letter) unread.delete(id);
  return html`
    <p class="lead">Every letter as its reader gets it. Links in letters work, and open in a new tab.</p>
    <div class="mail ${id ? "reading" : ""}">
      <div class="stack list">
        ${boxes(letters, mailbox)} ${search()}
        ${choices("Folder", FOLDERS.map(([name, text]) => [name, `${text} ${inFolder(own, name).length}`]), folder, choose)}
        ${list(found(own), id)}
      </div>
      <div>${id ? pane(letter, letters, mailbox) : hint(letters)}</div>
    </div>
  `;
}

const inFolder = (letters, name) => letters.filter(({ place }) => (place === "deleted" ? "sent" : place) === name);

function boxes(letters, current) {
  const mailboxes = [...rowsOf("mailboxes").values()];
  return html`
    <section class="card stack" aria-label="Senders">
      ${mailboxes.length > 1 ? html`<a href="#mailboxes" aria-current=${current ? nothing : "true"}>All mailboxes</a>` : nothing}
      ${repeat(mailboxes, ({ id }) => id, (box) => sender(box, letters, current))}
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : nothing}
    </section>
  `;
}

function sender({ id, state }, letters, current) {
  const own = letters.filter(({ mailbox }) => mailbox === id);
  const reports = own.filter(({ isReport }) => isReport).length;
  return html`
    <div class="sender">
      <p>
        <a href="#mailboxes/${encodeURIComponent(id)}" aria-current=${current === id ? "true" : nothing}>${id}</a>
        <span class="small quiet">${inFolder(own, "sent").length} sent</span>
        ${reports ? chip(`${reports} bounced`, "bad") : nothing}
      </p>
      <label class="small">
        Graph answers<span class="aloud"> for ${id}</span>
        <select @change=${({ target }) => behave(id, target.value)}>
          ${STATES.map(([value, text]) => html`<option value=${value} .selected=${live(value === state)}>${text}</option>`)}
        </select>
      </label>
    </div>
  `;
}

/** The list shows the choice by itself; a refusal puts back what the sandbox told last. */
async function behave(mailbox, state) {
  try {
    await tell("mailboxes", { mailbox, state });
    const boxes = rowsOf("mailboxes");
    boxes.set(mailbox, { ...boxes.get(mailbox), state });
    trouble = "";
    say(`${mailbox}: ${STATES.find(([name]) => name === state)[1]}`);
  } catch ({ message }) {
    trouble = message;
    changed();
  }
}

const search = () => html`
  <label>
    Search
    <input type="search" placeholder="recipient, name or subject" .value=${live(words)} @input=${({ target }) => seek(target.value)} />
  </label>
`;

function seek(text) {
  words = text;
  most = PAGE;
  changed();
}

function choose(name) {
  folder = name;
  most = PAGE;
  changed();
}

/** The letters of the folder that have all of the words, newest first. */
function found(letters) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const has = ({ to, toName, subject }) => {
    const text = [...to, toName ?? "", subject].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  const hits = inFolder(letters, folder).filter(has);
  return hits.sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0));
}

function list(letters, current) {
  if (letters.length === 0) {
    return html`<p class="empty">${words ? `No letter here has “${words}”.` : EMPTY[folder]}</p>`;
  }
  return html`
    ${unread.size > 0 ? html`<p class="small"><button class="plain" @click=${readAll}>Mark all as read</button></p>` : nothing}
    <ul class="letters" aria-label="Letters">
      ${repeat(letters.slice(0, most), ({ id }) => id, (letter) => line(letter, current))}
    </ul>
    ${letters.length > most
      ? html`<button @click=${() => { most += PAGE; changed(); }}>Show ${Math.min(PAGE, letters.length - most)} more of ${letters.length}</button>`
      : nothing}
  `;
}

function readAll() {
  unread.clear();
  say("No new letters");
}

const EMPTY = {
  sent: html`Nothing was sent yet. <a href="#contacts">Invite somebody</a>.`,
  drafts: "No drafts. Letters lie here for a moment before they are sent.",
  inbox: "Nothing came back.",
};

function line(letter, current) {
  const [text, kind] = FATES[letter.fate] ?? [];
  const who = letter.place === "inbox" ? letter.from : (letter.toName ?? letter.to.join(", "));
  return html`
    <li>
      <a href=${addressOf(letter)} aria-current=${letter.id === current ? "true" : nothing}>
        <span class="line">
          <b dir="auto">${who || "nobody"}</b>
          <span class="small quiet">${moment(letter.at)}</span>
        </span>
        <span dir="auto">${letter.subject || "(no subject)"}</span>
        <span class="row">
          ${unread.has(letter.id) ? chip("new", "info") : nothing}
          ${text && letter.fate !== "delivered" ? chip(text, kind) : nothing}
          ${letter.place === "deleted" ? chip("deleted") : nothing}
        </span>
      </a>
    </li>
  `;
}

function pane(letter, letters, mailbox) {
  const back = html`<a class="back" href="#mailboxes">Back to the list</a>`;
  if (!letter) return html`${back}<p class="card empty">This letter is not in ${mailbox} any more.</p>`;
  const about = letter.about && rowsOf("letters").get(letter.about);
  const report = letter.fate === "lost" && letters.find(({ about }) => about === letter.id);
  return html`${back} ${drawLetter(letter, { fate: FATES[letter.fate], about, report })}`;
}

const hint = (letters) =>
  letters.length ? html`<p class="card empty choose">Choose a letter to read it.</p>` : nothing;

/** `#mailboxes/to/{address}` looks for the letters to somebody. */
function look() {
  const [, address] = decodeURIComponent(location.hash).match(/^#mailboxes\/to\/(.+)$/) ?? [];
  if (!address) return;
  folder = "sent";
  history.replaceState(null, "", "#mailboxes");
  seek(address);
}

look();
/** Where the list gives way to the letter, who reads by keyboard goes along. */
addEventListener("hashchange", () => {
  look();
  const afterDrawing = () => {
    const heading = document.querySelector(".mail.reading h2");
    const hidden = document.querySelector(".mail.reading .list")?.checkVisibility() === false;
    if (heading && hidden) heading.focus();
  };
  requestAnimationFrame(() => requestAnimationFrame(afterDrawing));
});
