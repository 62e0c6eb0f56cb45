// The story that invocations, requests and log lines tell together: what belongs to what, and the figures. It draws nothing.

/** The services in the order of their lanes, by the names that rows have. */
export const services = { dataverse: "Dataverse", graph: "Graph", identity: "Identity", portal: "Portal", storage: "Storage" };

/**
 * Sections, the newest first: one an invocation (`call`), and one for what happened between two of them (no `call`). Each has
 * its `rows` in order of time. A row is `{ request }` or `{ line }`; `among` says how many invocations it may belong to. It
 * is with the one that began last; the others count it among those that are `perhaps` theirs.
 */
export function tell({ calls, requests, lines }) {
  const spans = spansOf(calls);
  const byInvocation = new Map(calls.map((call) => [call.invocation, call]));
  const sections = new Map(calls.map((call) => [`call ${call.id}`, { key: `call ${call.id}`, call, at: call.at, rows: [], perhaps: 0 }]));
  const put = (row, at, among, call) => {
    const key = call ? `call ${call.id}` : `after ${spans[before(spans, at) - 1]?.call.id ?? 0}`;
    if (!sections.has(key)) sections.set(key, { key, at, rows: [], perhaps: 0 });
    const section = sections.get(key);
    section.at = Math.min(section.at, at);
    section.rows.push({ ...row, at, among });
  };
  for (const request of requests) {
    const [last, ...others] = running(spans, request.at);
    put({ request }, request.at, others.length + (last ? 1 : 0), last);
    for (const call of others) sections.get(`call ${call.id}`).perhaps += 1;
  }
  for (const line of lines) {
    put({ line }, line.at, 1, byInvocation.get(line.invocation) ?? running(spans, line.at)[0]);
  }
  for (const section of sections.values()) section.rows.sort((one, other) => one.at - other.at);
  return [...sections.values()].sort((one, other) => other.at - one.at);
}

/** Invocations in order of time, each with its end and the latest end up to it. */
function spansOf(calls) {
  let latest = -Infinity;
  return [...calls]
    .sort((one, other) => one.at - other.at)
    .map((call) => {
      const until = call.at + (call.took ?? Infinity);
      latest = Math.max(latest, until);
      return { call, until, latest };
    });
}

/** How many of the spans had begun by a moment. */
function before(spans, moment) {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].call.at <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The invocations that ran at a moment, the one that began last first. */
function running(spans, moment) {
  const found = [];
  for (let place = before(spans, moment) - 1; place >= 0 && spans[place].latest >= moment; place -= 1) {
    if (spans[place].until >= moment) found.push(spans[place].call);
  }
  return found;
}

/** Whether a request, or one of the operations in it, ended badly or met a fault. */
export const isTrouble = (request) =>
  request.status === null || request.status >= 400 || request.faults.length > 0 || request.kinds.some(({ status }) => status >= 400);

/** Whether an invocation ended badly. */
export const isFailed = (call) => Boolean(call.failure) || call.status >= 400;

/**
 * What is left of a story: rows of one `service`, invocations of one `fn`, only what went wrong (`errors`). Sections of which
 * nothing is left go, too.
 */
export function narrow(sections, { service, fn, errors }) {
  const wanted = ({ request, line }) => {
    if (service && request?.service !== service) return false;
    if (!errors) return true;
    return request ? isTrouble(request) : line.level === "error" || line.level === "warn";
  };
  return sections
    .filter(({ call }) => !fn || call?.function === fn)
    .map((section) => ({ ...section, rows: section.rows.filter(wanted), all: section.rows }))
    .filter(({ call, rows }) => rows.length > 0 || (call && !service && (!errors || isFailed(call))));
}

/** Figures of some requests: one entry a service that got any, and how many contacts they were for. */
export function figures(requests) {
  const sum = (list, part) => list.reduce((total, each) => total + part(each), 0);
  const contacts = Math.max(sum(requests, (it) => it.contacts.invited), sum(requests, (it) => it.contacts.letters));
  const each = Object.keys(services).map((service) => {
    const own = requests.filter((request) => request.service === service);
    const times = own.map(({ took }) => took).sort((one, other) => one - other);
    return {
      service,
      count: own.length,
      sent: sum(own, ({ sent }) => sent),
      answered: sum(own, ({ answered }) => answered),
      half: at(times, 0.5),
      most: at(times, 0.95),
      trouble: own.filter(isTrouble).length,
    };
  });
  return { contacts, each: each.filter(({ count }) => count > 0) };
}

/** The smallest of some sorted numbers that a share of them does not exceed. */
function at(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
