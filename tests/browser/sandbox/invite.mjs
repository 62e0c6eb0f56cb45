// Invites contacts of a running sandbox as a maker would: through the page, by the handler's own API.

/**
 * Invites the contacts that `choose` picks from the page's list and waits for the handler's answer, which comes back with the
 * contacts beside it. More of the request's `fields` as the API has them.
 */
export async function invite(page, choose, fields = {}) {
  const contacts = (await allContacts(page)).filter(choose);
  const answer = await page.evaluate(ask, { contactIds: contacts.map(({ id }) => id), ...fields });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return { ...answer.json, contacts };
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

async function ask(body) {
  const { call } = await import("/ask.js");
  const headers = { "content-type": "application/json" };
  const { status, json, text } = await call("POST", "/api/invitations", { headers, body: JSON.stringify(body) });
  return { status, json, text };
}
