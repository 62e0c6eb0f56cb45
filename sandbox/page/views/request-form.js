// The form of the request that invites: every field of the contract, the usual ones first.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { changed, rowsOf } from "../world.js";
import { choice, line, lines, tick } from "./fields.js";
import { mistakes, run } from "./invite.js";
import { chooseKey, form, renewKey } from "./request.js";

const SOURCES = [
  ["contactIds", "The contacts that are ticked"],
  ["view", "A saved view of contacts"],
  ["filter", "A filter"],
  ["fetchXml", "FetchXML"],
];
const PENDING = [
  ["", "Leave it: keep, the default"],
  ["keep", "keep: leave it, send nothing"],
  ["resend", "resend: send the same link again"],
  ["replace", "replace: close it, make a new one"],
  ["fail", "fail: count it as a failure"],
];

/** What a request may name, of one kind, by name. */
export function choicesOf(...kinds) {
  const rows = [...rowsOf("choices").values()].filter(({ kind }) => kinds.includes(kind));
  return rows.sort((one, other) => (one.name ?? "").localeCompare(other.name ?? ""));
}

/** Sets a field; what was wrong with it may be right now. */
const set = (name) => (value) => {
  form[name] = value;
  const errors = run.answer?.json?.errors;
  if (errors) run.answer.json.errors = errors.filter(({ field }) => !field.startsWith(name));
  changed();
};

export function requestForm(selected) {
  const wrong = mistakes();
  const of = (name, label, help, more) => ({ value: form[name], onChange: set(name), label, help, wrong: wrong.get(name), ...more });
  return html`<section class="card form" aria-labelledby="request-heading">
    <h2 id="request-heading">The invitation</h2>
    ${whom(selected, of, wrong)} ${terms(of)}
    <details><summary>The letter</summary>${letter(of)}</details>
    <details><summary>More options</summary>${more(of)}</details>
    ${key()}
  </section>`;
}

function whom(selected, of, wrong) {
  const counted = (value, words) => (value === "contactIds" ? `${words} (${selected})` : words);
  const choose = (value) => () => set("source")(value);
  return html`<fieldset>
      <legend>Whom to invite</legend>
      ${SOURCES.map(
        ([value, words]) => html`<label class="check">
          <input type="radio" name="source" .checked=${live(form.source === value)} @change=${choose(value)} /> ${counted(value, words)}
        </label>`,
      )}
      ${wrong.has("contactIds") ? html`<p class="wrong">contactIds ${wrong.get("contactIds")}.</p>` : nothing}
    </fieldset>
    ${sourceField(of)}`;
}

function sourceField(of) {
  const views = choicesOf("view", "personal view").map(({ id, kind, name }) => [id, kind === "view" ? name : `${name} (personal)`]);
  switch (form.source) {
    case "view":
      return views.length > 0
        ? choice("view", of("view", "View", "Whoever is in it when the request comes.", { options: [["", "Choose one"], ...views] }))
        : line("view", of("view", "Id of the view", "This environment has no views of contacts.", {}));
    case "filter":
      return line("filter", of("filter", "Filter", "OData over contacts, as $filter takes it.", {}));
    case "fetchXml":
      return lines("fetchXml", of("fetchXml", "FetchXML", "Over contact; top limits how many.", { rows: 8, code: true }));
    default:
      return nothing;
  }
}

const terms = (of) => html`
  <div class="pair">
    ${line("validDays", of("validDays", "Valid for days", "1 to 365; else as the settings say.", { type: "number" }))}
    ${line("expiresOn", of("expiresOn", "Or until", "That day, 23:00 at the site.", { type: "date" }))}
  </div>
  ${choice("whenPending", of("whenPending", "If one is pending", "An open invitation of the same contact.", { options: PENDING }))}
  ${lines("message", of("message", "Message", "Plain text in the letter, up to 2,000 characters."))}
`;

const letter = (of) => html`<div class="inner">
  ${line("subject", of("subject", "Subject", "Instead of the template's own."))}
  <div class="pair">
    ${line("language", of("language", "Language", "Else the contact's own.", { list: "languages", placeholder: "de" }))}
    ${line("template", of("template", "Template", "Else the usual one.", { list: "templates", placeholder: "invitation" }))}
  </div>
  ${line("returnUrl", of("returnUrl", "Return to", "A path on the site, for after signing up.", { placeholder: "/orders" }))}
  ${tick("links", of("links", "Links instead of letters", "sendEmail: false. Nothing is mailed; the answer has the links. Needs ALLOW_LINKS=true."))}
  <datalist id="languages">${["ar", "da", "de", "en", "es", "fr", "nb", "sv"].map((code) => html`<option value=${code}></option>`)}</datalist>
  <datalist id="templates">${["invitation", "resend", "reminder"].map((name) => html`<option value=${name}></option>`)}</datalist>
</div>`;

const options = (none, ...kinds) => [["", none], ...choicesOf(...kinds).map(({ id, name }) => [id, name ?? id])];

const more = (of) => html`<div class="inner">
  ${tick("includeRegistered", of("includeRegistered", "Registered contacts, too", "They have a sign-in already, and are skipped otherwise."))}
  ${line("requestedBy", of("requestedBy", "Requested by", "Who asks, for the record.", { placeholder: "Front desk" }))}
  ${line("inviterContactId", of("inviterContactId", "Inviter", "Id of a contact, written on each invitation."))}
  ${choice("assignToAccountId", of("assignToAccountId", "Account", "Whoever redeems is assigned to it.", { options: options("None", "account") }))}
  ${choice("redemptionWorkflowId", of("redemptionWorkflowId", "Workflow", "Runs at the redemption. Needs ALLOWED_WORKFLOWS.", { options: options("None", "workflow") }))}
  ${roles(of("webRoleIds", "Web roles"))}
</div>`;

function roles({ value, onChange, wrong }) {
  const known = choicesOf("role");
  const pick = (id) => ({ target }) => onChange(target.checked ? [...value, id] : value.filter((other) => other !== id));
  return html`<fieldset>
    <legend>Web roles</legend>
    ${known.map(({ id, name }) => html`<label class="check"><input type="checkbox" .checked=${live(value.includes(id))} @change=${pick(id)} /> ${name}</label>`)}
    <span class="hint">${known.length > 0 ? "Whoever redeems gets them. Needs ALLOWED_WEB_ROLES." : "This site has no web roles."}</span>
    ${wrong ? html`<span class="wrong">webRoleIds ${wrong}.</span>` : nothing}
  </fieldset>`;
}

function key() {
  const type = (value) => {
    chooseKey(value);
    changed();
  };
  const renew = () => {
    renewKey();
    changed();
  };
  const texts = { value: form.key, onChange: type, label: "Idempotency-Key", help: "The same key and body again lead to the same batch: nobody gets two letters." };
  return html`
    ${tick("keyed", { value: form.keyed, onChange: set("keyed"), label: "Safe to repeat", help: "Sends an Idempotency-Key along, as a flow should." })}
    ${form.keyed ? html`<div class="keyed">${line("key", texts)}<button @click=${renew}>New key</button></div>` : nothing}
  `;
}
