// Contacts: whom there is to invite, the request that does it, and how it went.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { guard } from "../vendor/lit-html/directives/guard.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { copyable, kept } from "../parts.js";
import { changed, revisionOf, rowsOf } from "../world.js";
import { countChips, problem, raw, resultsTable, statusLine } from "./answer.js";
import { contactList, picked, picks, pickNone } from "./contact-list.js";
import { appeared, dismiss, run, send, standing } from "./invite.js";
import { newcomer } from "./newcomer.js";
import { choicesOf, requestForm } from "./request-form.js";
import { curlLine, form, httpText, isRepeated, requestOf, shortened } from "./request.js";

export const title = "Contacts";
export const feeds = ["contacts", "invitations", "choices"];

/** Those who are ticked and still there. */
const chosen = kept((contacts, _revision, _picks) => [...picked].filter((id) => contacts.has(id)));

/** The request as it would be sent now. What it is made of is compared, so that twenty thousand ids are not written out at each event. */
const built = kept((ids, _choices, _form) => requestOf(ids, choicesOf("view", "personal view")));
const current = () => built(ids(), revisionOf("choices"), JSON.stringify(form));
const ids = () => chosen(rowsOf("contacts"), revisionOf("contacts"), picks);

export function draw() {
  const count = ids().length;
  // First, because it may come with a new key, which the form shows.
  const request = current();
  return html`
    <p class="lead">Tick some contacts and invite them. The request goes to the Functions host just as a flow would send it.</p>
    <div class="inviting">
      <div class="split">
        <div class="stack">
          <section aria-label="Whom there is">${contactList()}</section>
          ${answerCard()} ${newcomer()}
        </div>
        <div class="stack">${requestForm(count)} ${preview(request)}</div>
      </div>
      ${bar(count)}
    </div>
  `;
}

const people = (count) => `${count} ${count === 1 ? "contact" : "contacts"}`;

function bar(count) {
  const listed = form.source === "contactIds";
  const start = (dry) => () => {
    form.dryRun = dry;
    const request = current();
    send(request, { dry, repeated: isRepeated(request) });
  };
  const label = listed ? `Invite ${people(count)}` : "Invite whom it finds";
  const idle = !run.waiting && (!listed || count > 0);
  return html`<div class="sending" role="region" aria-label="Send the request">
    <p>
      ${listed ? html`<strong>${count}</strong> selected` : html`Whoever the ${form.source === "view" ? "view" : "query"} finds`}
      ${listed && count > 0 ? html`<button class="plain" @click=${pickNone}>Clear</button>` : nothing}
    </p>
    <button ?disabled=${!idle} @click=${start(true)}>${run.waiting && run.dry ? "Checking…" : "Dry run"}</button>
    <button class="primary" ?disabled=${!idle} @click=${start(false)}>${run.waiting && !run.dry ? "Inviting…" : label}</button>
  </div>`;
}

function preview(request) {
  const host = rowsOf("choices").get("host")?.name;
  if (!host) return nothing;
  const dry = ({ target }) => {
    form.dryRun = target.checked;
    changed();
  };
  return html`<section class="card stack" aria-labelledby="http-heading">
    <div>
      <h2 id="http-heading">The request</h2>
      <p class="quiet small">Exactly what ${form.dryRun ? "Dry run" : "Invite"} sends. In Azure it also needs <code>x-functions-key</code>.</p>
      <label class="check"><input type="checkbox" .checked=${live(form.dryRun)} @change=${dry} /> As a dry run</label>
    </div>
    ${guard([request, host], () => [
      part("HTTP request", httpText(request, host)),
      part("curl line for a terminal", curlLine(request, host)),
    ])}
  </section>`;
}

const part = (label, whole) => copyable(shortened(whole), label, whole);

function answerCard() {
  const { answer, trouble, goesOn } = standing();
  if (!answer && !run.waiting) return html`<div id="answer" tabindex="-1"></div>`;
  return html`<section class="card stack answer" id="answer" tabindex="-1" aria-labelledby="answer-heading" aria-busy=${run.waiting || goesOn ? "true" : "false"}>
    <div class="row apart">
      <h2 id="answer-heading">${heading(answer, goesOn)}</h2>
      ${run.waiting ? nothing : html`<button class="plain" @click=${dismiss}>Close</button>`}
    </div>
    ${run.waiting ? waiting() : outcome(answer, trouble, goesOn)}
  </section>`;
}

function heading(answer, goesOn) {
  if (run.waiting) return run.dry ? "Checking…" : "Inviting…";
  if (goesOn) return "Accepted, and going on";
  if (answer.status === 0 || answer.status >= 500) return "It did not get through";
  if (answer.status !== 200) return "It was refused";
  if (run.dry) return "Dry run: nothing was written";
  if (run.repeated) return "The same request: its batch, nothing sent twice";
  return answer.json.ok === false ? "Done, but not for everybody" : "Done";
}

function waiting() {
  const batch = run.dry ? undefined : appeared();
  const words = batch ? `${batch.total - batch.new} of ${batch.total} sent so far` : "The handler is at work";
  return html`<div>
    <progress aria-label="Progress" max=${batch ? batch.total : nothing} value=${batch ? batch.total - batch.new : nothing}></progress>
    <p class="quiet small">${words}</p>
  </div>`;
}

function outcome(answer, trouble, goesOn) {
  if (answer.status !== 200 && answer.status !== 202) {
    return html`${statusLine(run.answer)} ${problem(answer)} ${answer.json ? raw(answer) : nothing}`;
  }
  const { counts, batch, ok } = answer.json;
  return html`
    <div class="row">${statusLine(run.answer)} ${countChips(counts)}</div>
    ${goesOn ? progress(counts, trouble) : nothing}
    ${batch ? html`<p class="small quiet">Batch ${batch}${ok === undefined ? nothing : html` · <code>ok</code> is ${ok ? "true: nothing failed" : "false: someone should look"}`}</p>` : nothing}
    ${answer.status === 200 ? resultsTable(answer) : nothing}
    ${run.dry ? nothing : html`<p class="row small"><a href="#invitations">See them in Invitations</a> <a href="#mailboxes">Read the letters</a></p>`}
    ${raw(answer)}
  `;
}

function progress({ requested, pending }, trouble) {
  return html`<div>
    <progress aria-label="Progress" max=${requested} value=${requested - pending}></progress>
    <p class="small quiet">
      ${requested - pending} of ${requested} settled. This page asks <code>GET /api/batches</code> each second.
      ${trouble ? "Just now the host did not answer; it is asked again. " : ""}
      The dispatch timer goes on with the rest each minute; <a href="#clock">Clock</a> can run it now.
    </p>
  </div>`;
}
