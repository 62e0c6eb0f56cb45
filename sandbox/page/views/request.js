// The request that invites: what was filled in, and the one way from there to what is shown, copied and sent.

const EXAMPLE = `<fetch top="10">
  <entity name="contact">
    <attribute name="contactid" />
    <filter>
      <condition attribute="statecode" operator="eq" value="0" />
    </filter>
    <order attribute="createdon" descending="true" />
  </entity>
</fetch>`;

/** What the form holds; an empty text is left out of the request. */
export const form = {
  source: "contactIds",
  view: "",
  filter: "statecode eq 0 and endswith(emailaddress1,'.example')",
  fetchXml: EXAMPLE,
  validDays: "",
  expiresOn: "",
  whenPending: "",
  message: "",
  subject: "",
  language: "",
  template: "",
  returnUrl: "",
  requestedBy: "",
  inviterContactId: "",
  assignToAccountId: "",
  redemptionWorkflowId: "",
  webRoleIds: [],
  includeRegistered: false,
  links: false,
  dryRun: false,
  keyed: true,
  key: crypto.randomUUID(),
};

const TEXTS = ["whenPending", "message", "subject", "language", "template", "returnUrl", "requestedBy"];
const IDS = ["inviterContactId", "assignToAccountId", "redemptionWorkflowId"];

/** Whether the key is one that the page made, and the body that it was sent with. */
let made = true;
let spent;

/** Makes a new key. */
export function renewKey() {
  made = true;
  spent = undefined;
  form.key = crypto.randomUUID();
}

/** Takes the key that somebody typed. */
export function chooseKey(key) {
  made = false;
  form.key = key;
}

/** Remembers what the key was used for. */
export function spend({ body }) {
  spent = body;
}

/** Whether the same request was sent before, with the same key. */
export const isRepeated = ({ body }) => form.keyed && !form.dryRun && spent === body;

/** The request for these contacts and what the form holds. A key of the page's own is never used for another body. */
export function requestOf(ids, views) {
  const body = JSON.stringify(bodyOf(ids, views), null, 2);
  if (made && !form.dryRun && spent !== undefined && spent !== body) renewKey();
  const headers = { "Content-Type": "application/json" };
  if (form.keyed && form.key && !form.dryRun) headers["Idempotency-Key"] = form.key;
  return { method: "POST", path: "/api/invitations", headers, body };
}

function bodyOf(ids, views) {
  const body = source(ids, views);
  if (form.validDays !== "") body.validDays = Number(form.validDays);
  if (form.expiresOn !== "") body.expiresOn = form.expiresOn;
  for (const name of [...TEXTS, ...IDS]) if (form[name].trim() !== "") body[name] = form[name];
  if (form.webRoleIds.length > 0) body.webRoleIds = form.webRoleIds;
  if (form.includeRegistered) body.includeRegistered = true;
  if (form.links) body.sendEmail = false;
  if (form.dryRun) body.dryRun = true;
  return body;
}

function source(ids, views) {
  switch (form.source) {
    case "view": {
      const personal = views.find(({ id }) => id === form.view)?.kind === "personal view";
      return { view: personal ? { id: form.view, personal } : { id: form.view } };
    }
    case "filter":
      return { filter: form.filter };
    case "fetchXml":
      return { fetchXml: form.fetchXml };
    default:
      return { contactIds: ids };
  }
}

/** A text as one word of a shell's command line. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** As much as one argument of a command may hold on Linux is 128 KiB; what a shell prints itself has no such limit. */
const LONGEST_ARGUMENT = 100_000;

/** A line for a shell that sends exactly this request. */
export function curlLine({ method, path, headers, body }, host) {
  const url = new URL(path, host).href;
  const piped = body?.length > LONGEST_ARGUMENT;
  const options = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  if (body) options.push(`--data-binary ${piped ? "@-" : quoted(body)}`);
  const line = [`curl -sS -X ${method} ${quoted(url)}`, ...options].join(" \\\n  ");
  return piped ? `printf %s ${quoted(body)} | ${line}` : line;
}

/** The request as it goes over the wire, to read. */
export function httpText({ method, path, headers, body }, host) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${new URL(path, host).href}`, ...lines].join("\n");
  return body ? `${head}\n\n${body}` : head;
}

/** A long list of ids, cut for the eye. */
export function shortened(text, most = 8) {
  const id = String.raw`[ \t]*"[0-9a-f]{8}-[0-9a-f-]{27}",?\n`;
  return text.replace(new RegExp(`((?:${id}){${most}})((?:${id})+)`), (_all, first, rest) => {
    const left = rest.split("\n").length - 1;
    return `${first}    … and ${left} more, which Copy takes along\n`;
  });
}
