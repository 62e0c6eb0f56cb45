// Traffic in words: times, sizes, addresses and statuses, short enough for a row.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { chip } from "../parts.js";

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const ROOTS = /^\/(api\/data\/v9\.2\/|v1\.0\/)/;

/** How long something took, from milliseconds. */
export function duration(milliseconds) {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(milliseconds < 9995 ? 2 : 1)} s`;
  return `${milliseconds < 9.5 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** A size, from bytes. */
export function size(bytes) {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

/** Requests a contact, such as 0.06. */
export const share = (count, contacts) => Number((count / contacts).toPrecision(2)).toString();

/** One of something, or several. */
export const many = (count, one, several = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : several}`;

/** A time of day. */
export const time = (milliseconds) => html`<time datetime=${new Date(milliseconds).toISOString()}>${clock.format(milliseconds)}</time>`;

/** A long text, cut off. */
export const brief = (text) => (text.length > 180 ? `${text.slice(0, 180)}…` : text);

/** An address without what every address of its service begins with, cut off where it is long. */
export const below = (path) => brief(path.replace(ROOTS, ""));

/** The status of an answer, or that there is none. */
export function status(code, struck = false) {
  const kind = struck || code === null ? "bad" : code < 300 ? "good" : code < 400 ? "info" : code < 500 ? "warn" : "bad";
  return chip(code ?? "no answer", kind);
}

/** Which faults struck. */
export const faults = (kinds) => (kinds.length > 0 ? chip(`⚡ fault: ${kinds.join(", ")}`, "bad") : nothing);

/** The level of a line of the log. */
export function level(name) {
  return chip(name, { error: "bad", warn: "warn", info: "info" }[name]);
}
