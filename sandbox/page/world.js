// What the sandbox tells by server-sent events: one map of rows a feed, by their ids.

const feeds = new Map();
const revisions = new Map();
const listeners = new Set();

/** Whether events come: "connecting", "open", or "lost" while the browser tries again. */
export let link = "connecting";

/** The rows of a feed by id; empty until it was heard of. */
export function rowsOf(name) {
  if (!feeds.has(name)) feeds.set(name, new Map());
  return feeds.get(name);
}

/** A number that is another one whenever the rows of a feed are others. */
export const revisionOf = (name) => revisions.get(name) ?? 0;

/** Calls `listener` after each change, of the world or of what a view remembers. */
export const onChange = (listener) => listeners.add(listener);

/** Says that something changed. */
export function changed() {
  for (const listener of listeners) listener();
}

/** Listens to these feeds from now on. */
export function connect(names) {
  const source = new EventSource("sandbox/events");
  const become = (state) => {
    link = state;
    changed();
  };
  source.onopen = () => become("open");
  source.onerror = () => become("lost");
  for (const name of names) {
    source.addEventListener(name, ({ data }) => {
      take(name, JSON.parse(data));
      changed();
    });
  }
}

/** A list that only grows says how many of its last rows are kept. */
function take(name, { reset, rows, gone, kept = Infinity }) {
  if (reset) feeds.set(name, new Map());
  const feed = rowsOf(name);
  for (const row of rows) feed.set(row.id, row);
  for (const id of gone) feed.delete(id);
  revisions.set(name, revisionOf(name) + 1);
  for (const id of feed.keys()) {
    if (feed.size <= kept) break;
    feed.delete(id);
  }
}
