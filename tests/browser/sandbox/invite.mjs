// Invites contacts of a running sandbox as a maker would: through the page, by the handler's own API.

/** POSTs an invitation request to the Functions host from inside the page; `status` and `json` of the answer. */
export const post = (page, body, key) =>
  page.evaluate(
    async ([body, key]) => {
      const { call } = await import("/ask.js");
      const headers = { "content-type": "application/json", ...(key && { "idempotency-key": key }) };
      const { status, json } = await call("POST", "/api/invitations", { headers, body: JSON.stringify(body) });
      return { status, json };
    },
    [body, key],
  );

/**
 * Invites the contacts that `choose` picks from the page's list and waits for the handler's answer, which comes back with the
 * contacts beside it. More of the request's `fields` as the API has them.
 */
export async function invite(page, choose, fields = {}) {
  const contacts = (await allContacts(page)).filter(choose);
  const { status, json } = await post(page, { contactIds: contacts.map(({ id }) => id), ...fields });
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(json)}`);
  return { ...json, contacts };
}

/** The ids of so many contacts who can be invited. */
export async function invitable(page, count) {
  const { json } = await post(page, { filter: "statecode eq 0", dryRun: true });
  const planned = json.results.filter(({ outcome }) => outcome === "planned");
  return planned.slice(0, count).map(({ contactId }) => contactId);
}

/** A plain person whom a letter reaches, and who has no account. */
export const isPlain = ({ email, registered, active, name }) =>
  active && !registered && /^[\w.]+@[\w.-]+$/.test(email ?? "") && !/\.invalid$/.test(email) && /^[\p{L}' -]+$/u.test(name);

/** Every contact that the page was told of, once it was. */
const allContacts = (page) =>
  page.evaluate(async () => {
    const { onChange, rowsOf } = await import("/world.js");
    await new Promise((known) => {
      const look = () => rowsOf("contacts").size > 0 && known();
      onChange(look);
      look();
    });
    return [...rowsOf("contacts").values()];
  });
