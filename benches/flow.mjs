// The baseline that portal-invite is measured against: the work of the well-known Power Automate flow, as a function app.
//
// For each contact the flow reads it, makes a code, mails the link, and adds a row of adx_invitation that says Sent: three
// requests a contact, one contact after another or up to fifty at a time. Here that is written for Node 20 without any
// package, as quick as it goes while it stays the flow's work: connections, tokens and the letter's fixed parts are kept.
// It is a custom handler, as the service is, and reads the same settings: DATAVERSE_URL, GRAPH_URL, PORTAL_URL,
// MAIL_SENDERS (the first: a flow has one mailbox), IDENTITY_ENDPOINT, IDENTITY_HEADER, AZURE_CLIENT_ID,
// FUNCTIONS_CUSTOMHANDLER_PORT (0 takes any). The first line that it writes is its port.
//
//   GET  /        200 at once
//   POST /invite  {"contactIds": [...], "parallel": 1 to 50, "sendEmail": true} -> {"sent", "failed", ...}
//   POST /sweep   {"parallel": 1 to 50}, closes invitations past their expiry -> {"closed", "failed", ...}
//   POST /list    reads every invitation -> {"rows", ...}
//
// Each answer counts "requests" (for tokens and repeated ones too), "bytesSent" and "bytesReceived" of bodies, and "waits".
//
// Apply to each: https://learn.microsoft.com/power-automate/limits-and-config (1 at a time, at most 50).
// List rows: https://learn.microsoft.com/power-automate/dataverse/list-rows (pages of 5,000).
// Repeats: https://learn.microsoft.com/azure/logic-apps/error-exception-handling (after 408, 429, 5xx and broken
// connections, 4 times, intervals that grow by 7.5 s within 5 to 45 s, or as long as Retry-After says).

import http from 'node:http';
import https from 'node:https';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What Outlook takes of one app at once: https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits */
const MAILBOX_CALLS = 4;
const RETRIES = 4;
/** Options of adx_type and of statuscode. */
const [SINGLE, SENT, REDEEMED] = [756150000, 756150000, 756150001];

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value.replace(/\/$/, '');
};
const [DATAVERSE, GRAPH, PORTAL] = ['DATAVERSE_URL', 'GRAPH_URL', 'PORTAL_URL'].map(setting);
const ROWS = `${DATAVERSE}/api/data/v9.2/adx_invitations`;
const SEND = `${GRAPH}/v1.0/users/${encodeURIComponent(setting('MAIL_SENDERS').split(',')[0])}/sendMail`;

const agent = (Agent) => new Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo' });
const ways = { 'http:': [http.request, agent(http.Agent)], 'https:': [https.request, agent(https.Agent)] };

/** One request; gives status, headers and, where wanted, the text of the answer. */
const exchange = (url, method, headers, body, wanted, counts) => new Promise((resolve, reject) => {
  counts.requests += 1;
  counts.bytesSent += body ? body.length : 0;
  const [request, agent] = ways[url.protocol];
  const outgoing = request(url, { method, headers, agent, timeout: 120_000 }, (answer) => {
    const chunks = [];
    answer.on('data', (chunk) => {
      counts.bytesReceived += chunk.length;
      if (wanted) chunks.push(chunk);
    });
    answer.on('error', reject);
    const text = () => Buffer.concat(chunks).toString();
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: text() }));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in two minutes')));
  outgoing.on('error', reject);
  outgoing.end(body);
});

/** How long the default retry policy waits before a repeat, in milliseconds. */
const interval = (repeat, answer) => {
  const asked = Number(answer.headers?.['retry-after']) * 1000;
  return asked > 0 ? asked : Math.min(45_000, 7_500 * 2 ** repeat);
};

const passing = (status) => status === 408 || status === 429 || status >= 500;
/** One action: a request, repeated as the default retry policy does. */
const action = async (counts, { url, method = 'GET', headers = {}, body, wanted = false, resource }) => {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const target = new URL(url);
  for (let repeat = 0; ; repeat += 1) {
    const sent = { ...headers };
    if (resource) sent.authorization = `Bearer ${await token(resource, counts)}`;
    if (bytes) Object.assign(sent, { 'content-type': 'application/json', 'content-length': bytes.length });
    const answer = await exchange(target, method, sent, bytes, wanted, counts).catch((error) => ({ error }));
    if (answer.status < 300) return answer;
    if (repeat === RETRIES || (answer.status && !passing(answer.status))) {
      throw new Error(`${method} ${target.pathname}: ${answer.status ?? answer.error.message}`);
    }
    counts.waits += 1;
    await sleep(interval(repeat, answer));
  }
};

const tokens = new Map();
/** A token for a resource, asked for once by however many wait for it. */
const token = (resource, counts) => {
  const known = tokens.get(resource);
  if (known && known.until > Date.now()) return known.value;
  const fresh = { value: signIn(resource, counts), until: Infinity };
  tokens.set(resource, fresh);
  fresh.value = fresh.value.then(({ access_token: value, expires_on: expires }) => {
    fresh.until = Number(expires) * 1000 - 300_000;
    return value;
  });
  fresh.value.catch(() => tokens.delete(resource));
  return fresh.value;
};

const signIn = async (resource, counts) => {
  const asked = { 'api-version': '2019-08-01', resource };
  if (process.env.AZURE_CLIENT_ID) asked.client_id = process.env.AZURE_CLIENT_ID;
  const url = `${setting('IDENTITY_ENDPOINT')}?${new URLSearchParams(asked)}`;
  const headers = { 'x-identity-header': setting('IDENTITY_HEADER') };
  return JSON.parse((await action(counts, { url, headers, wanted: true })).text);
};

let free = MAILBOX_CALLS;
const queue = [];
/** Does `work` at the mailbox, as soon as it takes another call. */
const mailbox = async (work) => {
  if (free === 0) await new Promise((turn) => { queue.push(turn); });
  else free -= 1;
  await work().finally(() => (queue.length > 0 ? queue.shift()() : free += 1));
};

/** Does `work` for each item, so many at a time; counts what went well and what did not. */
const applyToEach = async (items, parallel, work) => {
  let [next, done, failed] = [0, 0, 0];
  const worker = async () => {
    while (next < items.length) {
      const item = items[next];
      next += 1;
      await work(item).then(() => { done += 1; }, (error) => {
        failed += 1;
        if (failed <= 3) console.error(error.message);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return { done, failed };
};

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => text.replace(/[&<>"']/g, (character) => ESCAPES[character]);

const FONT = "font-family:'Segoe UI',Arial,sans-serif;color:#1b1b1f;";
const paragraph = (text, size = 16) => `<tr><td class="text" style="padding:0 40px 18px;${FONT}font-size:${size}px;line-height:${size + 9}px;word-break:break-word">${text}</td></tr>\n`;
const TABLE = 'role="presentation" cellpadding="0" cellspacing="0" border="0"';
/** About as long as the service's own letter, with the same parts. */
const LETTER = `<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>You are invited</title>
<style>
${['page', 'sheet', 'panel', 'text', 'note', 'link', 'button'].map((name) => `@media (prefers-color-scheme: dark) { .${name} { background-color: #202024 !important; color: #f0f0f4 !important; border-color: #3a3a40 !important; } }
@media (max-width: 480px) { .${name} { padding-left: 20px !important; padding-right: 20px !important; border-radius: 0 !important; width: 100% !important; } }
[data-ogsb] .${name} { background-color: #202024 !important; } [data-ogsc] .${name} { color: #f0f0f4 !important; }`).join('\n')}
</style></head>
<body class="page" style="margin:0;padding:0;background-color:#f3f3f6">
<div style="display:none;max-height:0;overflow:hidden;opacity:0">Your personal link is in this letter.${'&#8199;&#65279;&#847;'.repeat(60)}</div>
<table class="page" ${TABLE} width="100%" bgcolor="#f3f3f6"><tr><td align="center" style="padding:32px 16px">
<table class="sheet" ${TABLE} width="600" bgcolor="#ffffff" style="width:100%;max-width:600px;border:1px solid #e2e2e8;border-radius:12px">
<tr><td style="padding:36px 40px 24px;${FONT}font-size:20px;line-height:28px;font-weight:600">Contoso</td></tr>
${paragraph('<b>You are invited to the Contoso customer portal</b>', 26)}${paragraph('Hello {name},')}\
${paragraph('with this invitation you get an account of your own on our portal, where you see your orders, cases and documents, and reach us at any hour.')}\
<tr><td style="padding:0 40px 24px"><table ${TABLE}><tr><td class="button" bgcolor="#0f6cbd" style="border-radius:8px"><a href="{link}" target="_blank" style="display:inline-block;padding:14px 28px;${FONT}font-size:16px;font-weight:600;color:#ffffff;text-decoration:none">Open the invitation</a></td></tr></table></td></tr>
${paragraph('The link is yours alone: please do not pass this letter on.', 14)}${paragraph('<b>How it goes on</b>', 18)}\
${paragraph('The portal opens with your code filled in. Confirm it, then sign in or create an account. Before that nothing happens.')}\
${paragraph('Should the button not work, copy this address to your browser:<br><a class="link" href="{link}" style="color:#0f6cbd;word-break:break-all">{link}</a>', 14)}\
${paragraph('Questions? Write to <a class="link" href="mailto:support@contoso.example" style="color:#0f6cbd">support@contoso.example</a>. If you did not expect this letter, do nothing.', 14)}\
</table></td></tr></table></body></html>`;

const render = (values) => LETTER.replace(/\{(name|link)\}/g, (_, key) => escape(values[key]));

const invite = async (id, sendEmail, counts) => {
  const url = `${DATAVERSE}/api/data/v9.2/contacts(${id})?$select=fullname,emailaddress1`;
  const { text } = await action(counts, { url, resource: DATAVERSE, wanted: true });
  const { fullname, emailaddress1: address } = JSON.parse(text);
  if (!address) throw new Error(`contact ${id} has no address`);
  const code = randomUUID();
  if (sendEmail) {
    const content = render({ name: fullname, link: `${PORTAL}/register?invitation=${code}` });
    const message = {
      subject: 'You are invited to the Contoso customer portal',
      body: { contentType: 'HTML', content },
      toRecipients: [{ emailAddress: { address, name: fullname } }],
    };
    await mailbox(() => action(counts, { url: SEND, method: 'POST', body: { message }, resource: GRAPH }));
  }
  const contact = { 'adx_inviteContact@odata.bind': `/contacts(${id})` };
  const row = { adx_name: fullname, adx_type: SINGLE, adx_invitationcode: code, statuscode: SENT, ...contact };
  await action(counts, { url: ROWS, method: 'POST', body: row, resource: DATAVERSE });
};

/** Each page of invitations that a query finds. */
const pages = async function* pages(query, counts) {
  const headers = { prefer: 'odata.maxpagesize=5000' };
  for (let url = `${ROWS}?${query}`; url;) {
    const { text } = await action(counts, { url, headers, resource: DATAVERSE, wanted: true });
    const page = JSON.parse(text);
    yield page.value;
    url = page['@odata.nextLink'];
  }
};

const close = (id, counts) => {
  const [headers, body] = [{ 'if-match': '*' }, { statecode: 1, statuscode: 2 }];
  return action(counts, { url: `${ROWS}(${id})`, method: 'PATCH', headers, body, resource: DATAVERSE });
};

const functions = {
  '/invite': async ({ contactIds, parallel, sendEmail = true }, counts) => {
    const { done, failed } = await applyToEach(contactIds, parallel, (id) => invite(id, sendEmail, counts));
    return { sent: done, failed };
  },
  '/sweep': async ({ parallel }, counts) => {
    let [closed, failed] = [0, 0];
    const due = `statecode eq 0 and statuscode ne ${REDEEMED} and adx_expirydate lt ${new Date().toISOString()}`;
    const query = `$select=adx_invitationid&$filter=${encodeURIComponent(due)}`;
    for await (const page of pages(query, counts)) {
      const each = await applyToEach(page, parallel, (row) => close(row.adx_invitationid, counts));
      [closed, failed] = [closed + each.done, failed + each.failed];
    }
    return { closed, failed };
  },
  '/list': async (_, counts) => {
    let count = 0;
    const columns = 'adx_invitationid,adx_name,statecode,statuscode,createdon,adx_expirydate,_adx_invitecontact_value';
    for await (const page of pages(`$select=${columns}`, counts)) count += page.length;
    return { rows: count };
  },
};

const serve = async (incoming) => {
  if (incoming.method === 'GET' && incoming.url === '/') return [200, {}];
  const work = functions[incoming.url];
  if (incoming.method !== 'POST' || !work) return [404, {}];
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  body.parallel ??= 1;
  if (!(body.parallel >= 1 && body.parallel <= 50)) return [400, { error: 'parallel is 1 to 50' }];
  const counts = { requests: 0, bytesSent: 0, bytesReceived: 0, waits: 0 };
  return [200, { ...await work(body, counts), ...counts }];
};

const server = http.createServer((incoming, outgoing) => {
  serve(incoming).catch((error) => [500, { error: error.message }]).then(([status, body]) => {
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
});
server.requestTimeout = 0;
server.listen(Number(setting('FUNCTIONS_CUSTOMHANDLER_PORT')), '127.0.0.1', () => console.log(server.address().port));
