// One invitation: what the handler says of it, and what can be done with it.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { call } from "../ask.js";
import { chip, copyable, moment, say } from "../parts.js";
import { changed, rowsOf } from "../world.js";
import { countChips, problem, raw, statusLine } from "./answer.js";
import { answers, follow } from "./batches.js";
import { line } from "./fields.js";
import { curlLine } from "./request.js";
import { standingChip } from "./standings.js";

/** What the handler calls a standing, and the kind of its chip. */
const KINDS = { unsent: "info", pending: "info", redeemed: "good", expired: "warn", revoked: "" };

/** The invitation that is open: what was read of it, and in which version of its row. */
const open = { id: undefined };

function turnTo(id, version) {
  if (open.id !== id) {
    Object.assign(open, { id, version: undefined, read: undefined, done: undefined, busy: "", asks: false, days: "" });
    requestAnimationFrame(() => document.getElementById("invitation-heading")?.focus());
  }
  if (open.version !== (version ?? "gone") || !open.read) read(id, version ?? "gone");
}

async function read(id, version) {
  if (open.version === version) return;
  open.version = version;
  const answer = await attempt("GET", `/api/invitations/${id}`);
  if (open.id !== id) return;
  open.read = answer;
  changed();
}

async function attempt(method, path, request) {
  try {
    return await call(method, path, request);
  } catch {
    return { status: 0 };
  }
}

const resendRequest = () => ({
  method: "POST",
  path: `/api/invitations/${open.id}/resend`,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(open.days === "" ? {} : { extendDays: Number(open.days) }),
});

const revokeRequest = () => ({ method: "POST", path: `/api/invitations/${open.id}/revoke`, headers: {} });

async function act(name, request) {
  if (open.busy) return;
  const { id } = open;
  Object.assign(open, { busy: name, done: undefined, asks: false });
  say(name === "resend" ? "Sending again." : "Revoking.");
  const answer = await attempt(request.method, request.path, request);
  if (open.id !== id) return;
  Object.assign(open, { busy: "", done: { name, answer, request } });
  if (answer.status === 202) follow(answer.json.batch);
  changed();
  requestAnimationFrame(() => document.getElementById("done")?.focus());
}

/** Shuts the panel; whoever was in it goes back to where they came from. */
export function leave() {
  const { id } = open;
  open.id = undefined;
  if (id) requestAnimationFrame(() => document.querySelector(`main a[href="#invitations/${CSS.escape(id)}"]`)?.focus());
}

/** The panel of an invitation; `entry` is its row in the list, if there is one. */
export function detail(id, entry) {
  turnTo(id, entry && `${entry.row.version} ${entry.row.expires}`);
  const { read } = open;
  return html`<section class="card detail" aria-labelledby="invitation-heading">
    <div class="row apart">
      <h2 id="invitation-heading" tabindex="-1">${entry ? `Invitation of ${entry.name}` : "Invitation"}</h2>
      <a href="#invitations">Close</a>
    </div>
    ${read === undefined ? html`<p class="quiet">Asking the handler…</p>` : read.status === 200 ? facts(read.json, entry) : problem(read)}
    ${entry ? html`${resend()} ${revoke()}` : nothing} ${open.done ? done(open.done) : nothing}
  </section>`;
}

function facts(invitation, entry) {
  const { standing, contactId, createdOn, expiresOn, redeemedOn, redeemedBy, redemptions, batch } = invitation;
  const contact = rowsOf("contacts").get(contactId);
  const rows = [
    ["The handler says", chip(standing, KINDS[standing])],
    ["The row says", entry ? standingChip(entry.standing, entry.row) : ""],
    ["E-mail", contact?.email ?? ""],
    ["Created", moment(createdOn)],
    ["Expires", moment(expiresOn)],
    ["Redeemed", redeemedOn ? moment(redeemedOn) : redemptions > 0 ? "yes" : ""],
    ["Redeemed by", redeemedBy?.name ?? ""],
    ["Batch", batch ?? "none: made by someone else"],
  ];
  return html`<dl class="facts">${rows.filter(([, value]) => value !== "").map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function resend() {
  const days = { value: open.days, label: "Extend by days", help: "Empty: its expiry stays, or is the usual one if it is over.", type: "number" };
  const onChange = (value) => {
    open.days = value;
    changed();
  };
  const wrong = open.done?.answer.json?.errors?.find(({ field }) => field === "extendDays")?.message;
  return html`<div class="inner-stack">
    <h3>Send the letter again</h3>
    <p class="small quiet">The same link, from the same sender.</p>
    <div class="keyed">
      ${line("extendDays", { ...days, onChange, wrong })}
      <button ?disabled=${open.busy !== ""} @click=${() => act("resend", resendRequest())}>${open.busy === "resend" ? "Sending…" : "Resend"}</button>
    </div>
  </div>`;
}

function revoke() {
  const ask = (asks) => () => {
    open.asks = asks;
    changed();
    requestAnimationFrame(() => document.getElementById(asks ? "keep" : "revoke")?.focus());
  };
  if (!open.asks) {
    return html`<div class="inner-stack">
      <h3>Revoke</h3>
      <p class="small quiet">Closes the row and removes its code.</p>
      <button class="danger" id="revoke" ?disabled=${open.busy !== ""} @click=${ask(true)}>${open.busy === "revoke" ? "Revoking…" : "Revoke…"}</button>
    </div>`;
  }
  return html`<div class="inner-stack" role="group" aria-labelledby="sure">
    <h3 id="sure">Revoke for good? Its link is dead afterwards.</h3>
    <div class="row">
      <button class="danger" @click=${() => act("revoke", revokeRequest())}>Yes, revoke it</button>
      <button id="keep" @click=${ask(false)}>Keep it</button>
    </div>
  </div>`;
}

function done({ name, answer, request }) {
  const last = answer.status === 202 ? (answers.get(answer.json.batch)?.answer ?? answer) : answer;
  const host = rowsOf("choices").get("host")?.name;
  return html`<div class="inner-stack" id="done" tabindex="-1">
    <h3>${name === "resend" ? "Resend" : "Revoke"}: what the handler answered</h3>
    ${statusLine(answer)} ${outcome(last)} ${raw(last)}
    ${host ? html`<details><summary>The request</summary>${copyable(curlLine(request, host), "curl line for a terminal")}</details>` : nothing}
  </div>`;
}

function outcome(answer) {
  if (answer.status !== 200 && answer.status !== 202) return problem(answer);
  const { counts, results, warning, standing } = answer.json;
  const reason = results?.[0]?.reason?.message;
  return html`
    ${counts ? countChips(counts) : html`<p>It is ${standing} now.</p>`} ${reason ? html`<p>${reason}</p>` : nothing}
    ${warning ? html`<p class="note warn">${warning}</p>` : nothing}
  `;
}
