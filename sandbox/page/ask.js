// Requests of the page: to the sandbox itself, and through it to the Functions host.

/** POSTs to the sandbox and gives its answer, JSON or nothing; throws an error that says what went wrong. */
export async function tell(path, body = {}) {
  const answer = await fetch(`sandbox/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text || `${answer.status} ${answer.statusText}`);
  return text ? JSON.parse(text) : undefined;
}

/**
 * Sends a request to the Functions host, by a path such as `/api/invitations`; the answer has `status`, `headers`, `text`,
 * `json` (undefined where the text is none) and `milliseconds`.
 */
export async function call(method, path, { headers = {}, body } = {}) {
  const started = performance.now();
  const answer = await fetch(`host${path}`, { method, headers, body });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: parsed(text), milliseconds: performance.now() - started };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
