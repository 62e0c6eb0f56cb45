// What the view Traffic makes of invocations, requests and log lines, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { figures, narrow, tell } from "../../../sandbox/page/views/traffic-story.js";

const call = (id, at, took, more = {}) => ({ id: String(id), invocation: `i${id}`, function: `f${id}`, at, took, status: 200, failure: null, ...more });
const request = (id, at, more = {}) => {
  const plain = { took: 5, service: "dataverse", status: 200, faults: [], kinds: [], sent: 10, answered: 20, contacts: { invited: 0, letters: 0 } };
  return { id, at, ...plain, ...more };
};
const line = (id, at, more = {}) => ({ id, at, level: "info", invocation: null, ...more });
const all = { service: "", fn: "", errors: false };

/** Sections as texts: the key, and the ids of requests and lines. */
const told = (sections) =>
  sections.map(({ key, rows }) => [key, ...rows.map(({ request, line }) => (request ? `r${request.id}` : `l${line.id}`))].join(" "));

test("requests belong to the invocation during which they came, and what came outside stands between", () => {
  const calls = [call(1, 100, 50), call(2, 300, null)];
  const requests = [request(1, 90), request(2, 100), request(3, 150), request(4, 200), request(5, 9000)];
  assert.deepEqual(told(tell({ calls, requests, lines: [] })), ["call 2 r5", "after 1 r4", "call 1 r2 r3", "after 0 r1"]);
});

test("a request that may be of several invocations is with the last one, and both say so", () => {
  const calls = [call(1, 100, 1000), call(2, 200, 20), call(3, 300, 20)];
  const sections = tell({ calls, requests: [request(1, 210), request(2, 250)], lines: [] });
  assert.deepEqual(told(sections), ["call 3", "call 2 r1", "call 1 r2"]);
  assert.deepEqual(sections.map(({ perhaps }) => perhaps), [0, 0, 1]);
  assert.deepEqual(sections.flatMap(({ rows }) => rows.map(({ among }) => among)), [2, 1]);
});

test("a line of the log is with the invocation that it names, whenever it came", () => {
  const calls = [call(1, 100, 10), call(2, 200, 10)];
  const lines = [line(1, 205, { invocation: "i1" }), line(2, 205), line(3, 150, { invocation: "gone" })];
  assert.deepEqual(told(tell({ calls, requests: [], lines })), ["call 2 l2", "after 1 l3", "call 1 l1"]);
});

test("only errors are what failed, was refused in a batch, met a fault or was warned of", () => {
  const calls = [call(1, 100, 10), call(2, 200, 10, { failure: "no" }), call(3, 300, 10), call(4, 400, 10, { status: 404 })];
  const requests = [
    request(1, 301),
    request(2, 302, { faults: ["delay"] }),
    request(3, 303, { status: null }),
    request(4, 304, { kinds: [{ status: 412 }] }),
    request(5, 305, { status: 503 }),
  ];
  const lines = [line(1, 306), line(2, 307, { level: "warn" })];
  const sections = narrow(tell({ calls, requests, lines }), { ...all, errors: true });
  assert.deepEqual(told(sections), ["call 4", "call 3 r2 r3 r4 r5 l2", "call 2"]);
});

test("a service or a function leaves what is its own", () => {
  const calls = [call(1, 100, 10), call(2, 200, 10)];
  const requests = [request(1, 101), request(2, 102, { service: "graph" }), request(3, 500, { service: "graph" })];
  const story = tell({ calls, requests, lines: [line(1, 103)] });
  assert.deepEqual(told(narrow(story, { ...all, service: "graph" })), ["after 2 r3", "call 1 r2"]);
  assert.deepEqual(told(narrow(story, { ...all, fn: "f2" })), ["call 2"]);
});

test("figures are for each service, and letters count where rows were made before", () => {
  const requests = [
    ...Array.from({ length: 19 }, (_, index) => request(index, 0, { took: index + 1, contacts: { invited: 2, letters: 0 } })),
    request(20, 0, { took: 900, status: 429 }),
    request(21, 0, { service: "graph", contacts: { invited: 0, letters: 50 } }),
  ];
  const { contacts, each } = figures(requests);
  assert.equal(contacts, 50);
  assert.deepEqual(each[0], { service: "dataverse", count: 20, sent: 200, answered: 400, half: 10, most: 19, trouble: 1 });
  assert.deepEqual(each.map(({ service, count }) => [service, count]), [["dataverse", 20], ["graph", 1]]);
});
