// An answer of the host as a person reads it: status, counts, what became of each contact, what was wrong.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chip, moment } from "../parts.js";
import { changed } from "../world.js";
import { readOn } from "./batches.js";

const OUTCOMES = {
  sent: ["good", "sent"],
  created: ["good", "link made"],
  planned: ["info", "would be invited"],
  kept: ["info", "kept"],
  pending: ["info", "pending"],
  skipped: ["warn", "skipped"],
  failed: ["bad", "failed"],
  unconfirmed: ["warn", "unconfirmed"],
};

const STATUSES = {
  0: "No answer",
  200: "OK",
  202: "Accepted",
  400: "Bad request",
  403: "Not allowed",
  404: "Not found",
  409: "Conflict",
  413: "Too large",
  422: "Not understood",
  429: "Too soon",
  500: "Handler failed",
  502: "Refused by a service",
  503: "Not available now",
};

/** What to do about an error, by its code. */
const HINTS = {
  invalidRequest: "Correct what is named here, and send it again.",
  notAllowed: "The setting that is named says what callers may ask for. Set it in the shell, and start the sandbox anew.",
  keyReused: "Make a new Idempotency-Key: this one belongs to an earlier request.",
  cooldown: html`Wait, or let an hour pass in <a href="#clock">Clock</a>.`,
  alreadyRedeemed: "Whoever was invited is in. There is nothing left to send or to revoke.",
  revoked: "It is closed for good. Invite the contact anew.",
};
const AGAIN = "Nothing is lost. Send it again, as it is: the same Idempotency-Key never does the work twice.";

/** A number of seconds in words. */
export function duration(seconds) {
  if (seconds < 90) return `${seconds} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}

const took = (milliseconds) => (milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`);

/** The status of an answer, and how long it took. */
export function statusLine({ status, milliseconds }) {
  const kind = status === 0 || status >= 500 ? "bad" : status >= 400 ? "warn" : "good";
  const words = STATUSES[status] ?? "";
  return html`<p class="row">
    ${chip(status === 0 ? words : `${status} ${words}`, kind)}
    ${milliseconds === undefined ? nothing : html`<span class="quiet small">after ${took(milliseconds)}</span>`}
  </p>`;
}

/** The outcomes that occurred, with their numbers. */
export function countChips(counts) {
  const some = Object.entries(OUTCOMES).filter(([name]) => counts?.[name] > 0);
  if (some.length === 0) return html`<p class="quiet">Nobody was found.</p>`;
  return html`<ul class="chips" aria-label="Counts">
    ${some.map(([name, [kind, words]]) => html`<li>${chip(`${counts[name]} ${words}`, kind)}</li>`)}
  </ul>`;
}

const silence = (status) => (status === 0 ? "The sandbox did not answer." : "The handler ended before it answered.");

/** What was wrong, and what to do about it. */
export function problem({ status, headers, json, text }) {
  const hint = HINTS[json?.code] ?? (status === 0 || status >= 500 ? AGAIN : nothing);
  const wait = Number(headers?.get("retry-after"));
  return html`<div class="note ${status >= 500 || status === 0 ? "bad" : "warn"}" role="alert">
    <p><strong>${json?.title ?? (text?.trim() || silence(status))}</strong></p>
    ${json?.detail ? html`<p>${json.detail}</p>` : nothing}
    ${json?.errors?.length > 0
      ? html`<ul class="errors">${json.errors.map(({ field, message }) => html`<li><code>${field}</code> ${message}</li>`)}</ul>`
      : nothing}
    ${wait > 0 ? html`<p>It may be asked again in ${duration(wait)}.</p>` : nothing}
    <p class="hint-line">${hint}</p>
  </div>`;
}

const PAGE = 100;
let shown = PAGE;

/** Begins again with the first page of results. */
export const rewind = () => (shown = PAGE);

/** What became of each contact. */
export function resultsTable(answer) {
  const { results, nextCursor, counts } = answer.json;
  if (!results?.length) return nothing;
  const more = () => {
    shown += PAGE;
    if (shown > results.length && nextCursor) readOn(answer);
    changed();
  };
  return html`
    <div class="scroll results" tabindex="0" role="region" aria-label="Results">
      <table>
        <thead><tr><th scope="col">Contact</th><th scope="col">Outcome</th></tr></thead>
        <tbody>${repeat(results.slice(0, shown), (_result, place) => place, resultRow)}</tbody>
      </table>
    </div>
    ${shown < results.length || nextCursor
      ? html`<p><button @click=${more}>Show more of the ${counts.requested} results</button></p>`
      : nothing}
  `;
}

function resultRow({ contactId, contactName, outcome, reason, invitationId, expiresOn, redeemUrl }) {
  const [kind, words] = OUTCOMES[outcome] ?? ["", outcome];
  return html`<tr>
    <th scope="row">
      ${invitationId && outcome !== "planned" ? html`<a href="#invitations/${invitationId}">${contactName ?? contactId}</a>` : (contactName ?? contactId)}
    </th>
    <td>
      ${chip(words, kind)}
      ${expiresOn ? html`<span class="quiet small">expires ${moment(expiresOn)}</span>` : nothing}
      ${reason ? html`<div class="small">${reason.message} <code class="quiet">${reason.code}</code></div>` : nothing}
      ${redeemUrl ? html`<div class="small"><a href=${redeemUrl} target="_blank" rel="noopener">Open the link</a></div>` : nothing}
    </td>
  </tr>`;
}

/** The body as it came, on demand. */
export const raw = ({ json, text }) => html`<details>
  <summary>The answer as it came</summary>
  <pre tabindex="0" aria-label="The answer as it came">${json ? cut(JSON.stringify(json, null, 2)) : text}</pre>
</details>`;

const cut = (text) => (text.length > 60_000 ? `${text.slice(0, 60_000)}\n… cut here` : text);
