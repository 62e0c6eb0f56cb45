// One section of the story: an invocation with its requests and log lines, on lanes from the caller to the services.

import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chip } from "../parts.js";
import { figures, services } from "./traffic-story.js";
import { below, brief, duration, faults, level, many, share, size, status, time } from "./traffic-words.js";

const LANE = 58;

/** The lanes of some requests, from left to right: those that all have, and the services that got any. */
export function lanesOf(requests) {
  const used = new Set(requests.map(({ service }) => service));
  return ["caller", "host", "handler", ...Object.keys(services).filter((service) => used.has(service))];
}

/** The names of lanes, above them. */
export const laneNames = (lanes) => html`
  <div class="lane-names" aria-hidden="true" style="--lanes: ${lanes.length}">
    ${lanes.map((lane) => html`<span>${services[lane] ?? lane[0].toUpperCase() + lane.slice(1)}</span>`)}
  </div>
`;

/** An arrow between two lanes; without `from` only the lanes. */
function arrows(lanes, from, to, kind = "") {
  const x = (lane) => (lanes.indexOf(lane) + 0.5) * LANE;
  const [start, end] = [x(from), x(to)];
  const way = Math.sign(end - start);
  return html`
    <svg class="lanes ${kind}" width=${lanes.length * LANE} height="28" aria-hidden="true" focusable="false">
      ${lanes.map((lane) => svg`<line class="lane" x1=${x(lane)} x2=${x(lane)} y1="0" y2="100%" />`)}
      ${from
        ? svg`<circle cx=${start} cy="14" r="3" />
            <path d="M${start} 14H${end - way * 2}M${end - way * 8} 9.5L${end - way * 2} 14L${end - way * 8} 18.5" />`
        : nothing}
    </svg>
  `;
}

/** The heading of a section: what was called, how it ended, and what it took. */
export function heading({ call, at, all }) {
  const requests = all.flatMap(({ request }) => request ?? []);
  const asked = many(requests.length, "request");
  if (!call) return html`<h2>Between invocations</h2> <span class="quiet small">${time(at)} · ${asked}</span>`;
  const { contacts } = figures(requests);
  return html`
    <h2>${call.method ? html`${call.method} <span class="path">${call.target}</span>` : html`Timer <span class="path">${call.function}</span>`}</h2>
    ${ending(call)}
    <span class="quiet small">
      ${time(call.at)}${call.method ? ` · ${call.function}` : ""} · ${asked}${contacts ? ` · ${many(contacts, "contact")}` : ""}
    </span>
  `;
}

function ending(call) {
  if (call.took === null) return chip("running", "info");
  return html`${status(call.status, Boolean(call.failure))} <span class="small">in ${duration(call.took)}</span>`;
}

/** What a section holds; `isOpen` and `toggle` are for the particulars of its requests. */
export function sequence(section, rows, lanes, { isOpen, toggle }) {
  const { call, all, perhaps } = section;
  const requests = all.flatMap(({ request }) => request ?? []);
  const scale = scaleOf(section);
  return html`
    ${requests.length > 0 && call ? costs(requests) : nothing}
    ${call?.failure ? html`<p class="note bad">${call.failure}</p>` : nothing}
    ${call?.logs?.length > 0 ? html`<p class="small">It says: ${call.logs.join(" ")}</p>` : nothing}
    ${perhaps > 0 ? html`<p class="small">${many(perhaps, "more request")} may be its own: ${perhaps === 1 ? "it is" : "they are"} with invocations that ran at the same time.</p>` : nothing}
    <ol class="sequence">
      ${call ? arrival(call, lanes) : nothing}
      ${repeat(
        rows,
        ({ request, line }) => (request ? `request ${request.id}` : `line ${line.id}`),
        (row) => (row.line ? logRow(row, scale, lanes) : requestRow(row, scale, lanes, isOpen(row.request.id), toggle)),
      )}
      ${call && call.took !== null ? departure(call, lanes) : nothing}
    </ol>
  `;
}

/** Where in a section's time something happened; between invocations only how long it took compared with the others. */
function scaleOf({ call, all }) {
  const ends = all.map(({ request, at }) => (request ? at + request.took : at));
  const total = call ? Math.max((call.took ?? 0), ...ends.map((end) => end - call.at), 1) : Math.max(1, ...all.map(({ request }) => request?.took ?? 0));
  return {
    when: (at) => (call ? `+${duration(Math.max(0, at - call.at))}` : time(at)),
    left: (at) => (call ? (100 * (at - call.at)) / total : 0),
    width: (took) => (100 * took) / total,
  };
}

function costs(requests) {
  const { contacts, each } = figures(requests);
  const words = each.map(({ service, count }) => {
    const a = contacts > 0 ? ` (${share(count, contacts)} a contact)` : "";
    return `${services[service]}: ${many(count, "request")}${a}`;
  });
  const total = (part) => size(each.reduce((sum, one) => sum + one[part], 0));
  return html`<p class="small quiet">${words.join(" · ")} · ${total("sent")} sent, ${total("answered")} received</p>`;
}

function arrival(call, lanes) {
  const from = call.method ? "caller" : "host";
  return html`
    <li class="step edge">
      <span class="when">+0 ms</span>
      ${arrows(lanes, from, "handler")}
      <span class="what">${call.method ? "The caller asks the host, and the host the handler." : "The host calls the handler: the timer is due, or somebody ran it."}</span>
    </li>
  `;
}

function departure(call, lanes) {
  const to = call.method ? "caller" : "host";
  return html`
    <li class="step edge">
      <span class="when">+${duration(call.took)}</span>
      ${arrows(lanes, "handler", to, call.failure ? "bad" : "")}
      <span class="what">${call.status === null ? "It ends without an answer." : `The answer: ${call.status}.`}</span>
    </li>
  `;
}

function requestRow({ request, at, among }, scale, lanes, open, toggle) {
  const bad = request.status === null || request.status >= 400 || request.faults.length > 0;
  const from = request.service === "portal" && among === 0 ? "caller" : "handler";
  return html`
    <li>
      <details ?open=${open} @toggle=${(event) => toggle(request.id, event.target.open)}>
        <summary class="step">
          <span class="when">${scale.when(at)}</span>
          ${arrows(lanes, from, request.service, bad ? "bad" : "")}
          <span class="what">
            <span class="lane-label">${services[request.service]}</span>
            <span class="method">${request.method}</span> <span class="path">${below(request.path)}</span>
            ${batchWords(request)}
            ${among > 1 ? chip(`one of ${among} invocations`, "") : nothing}
          </span>
          <span class="lasts" aria-hidden="true"><i class=${bad ? "bad" : ""} style="left: ${scale.left(at)}%; width: ${scale.width(request.took)}%"></i></span>
          <span class="took">${duration(request.took)}</span>
          <span class="end">${status(request.status, request.faults.length > 0)} ${faults(request.faults)}</span>
        </summary>
        ${open ? particulars(request) : nothing}
      </details>
    </li>
  `;
}

function batchWords({ operations, kinds }) {
  if (operations === 0) return nothing;
  const bad = kinds.filter(({ status }) => status >= 400).reduce((sum, { count }) => sum + count, 0);
  const words = brief(kinds.map(kindWords).join(", ") || "none was carried out");
  return html`${bad > 0 ? chip(`${bad} refused`, "warn") : nothing} <span class="quiet">${many(operations, "operation")}: ${words}</span>`;
}

const kindWords = ({ count, method, shape, creates }) =>
  `${count > 1 ? `${count} × ` : ""}${method} ${shape}${creates && method !== "POST" ? " (new)" : ""}`;

function particulars({ path, sent, answered, operations, first, kinds }) {
  return html`
    <div class="particulars">
      <p class="full">${path}</p>
      <p class="small quiet">${size(sent)} sent, ${size(answered)} received</p>
      ${operations > 0
        ? html`
            <ul class="operations">
              ${kinds.map((kind) => html`<li><span>${kindWords(kind)}</span> ${status(kind.status)}</li>`)}
            </ul>
            <h3>One by one</h3>
            <ol class="operations">
              ${first.map(({ method, target, status: code, struck }) => html`<li><span>${method} ${target}</span> ${status(code)} ${struck ? chip("⚡ fault", "bad") : nothing}</li>`)}
            </ol>
            ${operations > first.length ? html`<p class="small quiet">… and ${operations - first.length} more</p>` : nothing}
          `
        : nothing}
    </div>
  `;
}

function logRow({ line, at }, scale, lanes) {
  const fields = Object.entries(line.fields).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return html`
    <li class="step logged">
      <span class="when">${scale.when(at)}</span>
      ${arrows(lanes)}
      <span class="what">
        ${level(line.level)} <span class="lane-label">${line.from === "host" ? "Host" : "Log"}</span> ${line.message}
        ${fields.length > 0 ? html`<span class="quiet">${fields.join(" · ")}</span>` : nothing}
      </span>
    </li>
  `;
}
