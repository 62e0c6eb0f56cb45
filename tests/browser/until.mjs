// Waits for what a browser does a moment later: draw a page again, size a frame, tell of an event.

const PAUSE = 25;
const LONGEST = 30_000;

/** Asks until the answer is wanted, and gives that answer; after half a minute it fails with the last one. */
export async function until(ask, wanted) {
  const end = Date.now() + LONGEST;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`after ${LONGEST / 1_000} s it is still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
