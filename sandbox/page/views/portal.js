// Portal: the site that letters lead to, in a frame, and who has redeemed an invitation there.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { choices, moment } from "../parts.js";
import { changed, rowsOf } from "../world.js";
import { redeeming, settings } from "./site.js";

export const title = "Portal";
export const feeds = ["site", "open-invitations", "redemptions"];

const PAGE = 100;
let typed = "";
/** What the frame shows, and how often it was sent there: going to the same address again loads it anew. */
let shown = { url: undefined, times: 0 };
let wrong = "";
let width = "desktop";
let most = PAGE;

export function draw() {
  const site = rowsOf("site").get("site");
  if (!site) return html`<p class="empty">Looking for the portal…</p>`;
  return html`
    <p class="lead">
      A stand-in for your Power Pages site. Letters lead here; nothing is redeemed until somebody presses the button on its form.
    </p>
    <div class="split portal">
      <section class="stack" aria-label="The site">
        ${site.private ? locked() : [addressBar(site), frame(site)]} ${redeemed()}
      </section>
      <div class="stack">${redeeming()} ${settings(site)}</div>
    </div>
  `;
}

const locked = () => html`
  <p class="note warn">
    The site is private. Whoever opens a letter's link is sent to sign in to the organisation, and invited people cannot get further.
  </p>
`;

function addressBar(site) {
  return html`
    <form class="address" @submit=${(event) => go(event, site)}>
      <label>
        Link, path or code
        <input .value=${live(typed)} placeholder=${site.url} spellcheck="false" autocomplete="off"
          aria-invalid=${wrong ? "true" : nothing} aria-describedby=${wrong ? "wrong" : nothing}
          @input=${({ target }) => (typed = target.value)} />
      </label>
      <button>Show</button>
      <a class="button" href=${shown.url ?? site.url} target="_blank">Open in a tab</a>
    </form>
    ${wrong ? html`<p class="note bad" id="wrong" role="alert">${wrong}</p>` : nothing}
    <div>${choices("Width of the site", [["desktop", "Desktop"], ["phone", "Phone"]], width, (value) => {
      width = value;
      changed();
    })}</div>
  `;
}

function go(event, site) {
  event.preventDefault();
  try {
    shown = { url: target(typed.trim(), site.url), times: shown.times + 1 };
    wrong = "";
  } catch ({ message }) {
    wrong = message;
  }
  changed();
}

/** The address that was meant: a link of a letter, a path on the site, or a code alone. */
function target(text, site) {
  if (text === "" || text.startsWith("/")) return new URL(text, site).href;
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.origin === new URL(site).origin) return url.href;
    throw new Error(`That link leads to ${url.origin === "null" ? url.protocol : url.origin}, not to the sandbox's portal.`);
  }
  if (/\s/.test(text)) throw new Error("A code has no spaces. Copy the whole link from a letter, or the code alone.");
  return new URL(`/register?invitation=${encodeURIComponent(text)}`, site).href;
}

const frame = (site) =>
  keyed(
    shown.times,
    html`<iframe class="sheet ${width}" sandbox="allow-forms allow-same-origin allow-popups" src=${shown.url ?? site.url} title="The portal"></iframe>`,
  );

function redeemed() {
  const rows = [...rowsOf("redemptions").values()].sort((one, other) => (one.at < other.at ? 1 : -1));
  return html`
    <section aria-labelledby="redeemed">
      <h2 id="redeemed">Redeemed: ${rows.length}</h2>
      ${rows.length === 0
        ? html`<p class="card empty">Nobody has redeemed an invitation yet.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Redemptions">
            <table>
              <thead><tr><th scope="col">Who</th><th scope="col">User name</th><th scope="col">When</th></tr></thead>
              <tbody>${repeat(rows.slice(0, most), ({ id }) => id, line)}</tbody>
            </table>
          </div>`}
      ${rows.length > most ? html`<p><button @click=${() => { most += PAGE; changed(); }}>Show more</button></p>` : nothing}
    </section>
  `;
}

const line = ({ name, username, at }) => html`
  <tr><th scope="row" dir="auto">${name ?? "unknown"}</th><td>${username}</td><td>${moment(at)}</td></tr>
`;
