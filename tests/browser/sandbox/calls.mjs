// Requests to the handler as the page sends them, for tests that need invitations to be there.

/** POSTs an invitation request to the Functions host from inside the page; `status` and `json` of the answer. */
export const invite = (page, body, key) =>
  page.evaluate(
    async ([body, key]) => {
      const headers = { "content-type": "application/json", ...(key && { "idempotency-key": key }) };
      const answer = await fetch("host/api/invitations", { method: "POST", headers, body: JSON.stringify(body) });
      const text = await answer.text();
      return { status: answer.status, json: answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined };
    },
    [body, key],
  );

/** The ids of so many contacts who can be invited. */
export async function invitable(page, count) {
  const { json } = await invite(page, { filter: "statecode eq 0", dryRun: true });
  const planned = json.results.filter(({ outcome }) => outcome === "planned");
  return planned.slice(0, count).map(({ contactId }) => contactId);
}
