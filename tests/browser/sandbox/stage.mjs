// Starts the sandbox as a person does, on free ports, and opens its page in Chromium.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bringAxe, pageMistakes } from "../axe.mjs";
import { startBrowser } from "../chromium.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
export const program = process.env.SANDBOX ?? join(target, "debug/sandbox");
export const handler = process.env.PORTAL_INVITE ?? join(target, "debug/portal-invite");
const shots = join(target, "browser/sandbox");

/**
 * A running sandbox: `url` of its page, `said` (each line that it printed), `close()`. More flags, settings and the directory
 * as in a shell.
 */
export async function startSandbox({ flags = [], settings = {}, cwd = root } = {}) {
  for (const file of [program, handler]) {
    if (!existsSync(file)) throw new Error(`${file} is not there: cargo build --workspace`);
  }
  const child = spawn(program, ["--handler", handler, "--port", "0", ...flags], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = [];
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((found, failed) => {
    lines.on("line", (line) => {
      said.push(line);
      const page = line.match(/http:\/\/127\.0\.0\.1:\d+\/$/)?.[0];
      if (page && /open/i.test(line)) found(page);
    });
    ended.then((code) => failed(new Error(`the sandbox ended with ${code}:\n${said.join("\n")}`)));
  });
  const close = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url, said, close };
}

/**
 * A window on the page. It fails its test at the end (`close`) if the page threw, wrote an error to the console, or asked
 * another machine for something.
 */
export async function openPage(browser, url, { width = 1280, height = 900, shade = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: shade, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const mistakes = [];
  const page = await context.newPage();
  context.on("page", (popup) => popup.on("pageerror", ({ message }) => mistakes.push(message)));
  page.on("pageerror", ({ message }) => mistakes.push(message));
  page.on("console", (message) => message.type() === "error" && mistakes.push(message.text()));
  context.on("request", (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:|about:)/.test(request.url())) mistakes.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  const close = async () => {
    await context.close();
    if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  };
  return { page, context, mistakes, close };
}

/** Opens a view by its link, and waits for its heading. */
export async function openView(page, title) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: title }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

/** Waits until what was just done is drawn: a page draws once a frame. */
export const drawn = (page) =>
  page.evaluate(async () => {
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  });

/** Nothing lies upon anything else, and nothing is scrolled out of sight. */
const SPREAD = `
  .views, .sending, .detail, thead th { position: static !important; }
  .views { flex-wrap: wrap; }
  .scroll, .detail, pre { max-height: none !important; }
  th, td { display: block; }
`;

/** What axe finds in a page, as it is now but spread out: it cannot measure the contrast of what another part lies upon. */
export async function mistakesOf(page) {
  await bringAxe(page);
  const spread = await page.addStyleTag({ content: SPREAD });
  const mistakes = await pageMistakes(page);
  await spread.evaluate((style) => style.remove());
  return mistakes;
}

/** Keeps a picture of a page as `target/browser/sandbox/{name}.png`. */
export async function picture(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Puts pictures with their captions on one picture, two beside each other. */
export async function sheetOf(browser, name, panels) {
  const page = await browser.newPage({ viewport: { width: 1640, height: 100 } });
  const figures = panels.map(([caption, picture], index) => {
    const source = readFileSync(join(shots, `${picture}.png`)).toString("base64");
    return `<figure><figcaption><b>${index + 1}</b> ${caption}</figcaption><img src="data:image/png;base64,${source}"></figure>`;
  });
  await page.setContent(`<style>${SHEET}</style>${figures.join("")}`);
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  await page.close();
}

const SHEET = `
  body { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; margin: 24px; background: #fff; font: 600 20px/1.4 "Liberation Sans", sans-serif; color: #1b1f27; }
  figure { margin: 0; }
  figcaption { margin-bottom: 8px; }
  b { display: inline-block; width: 28px; border-radius: 14px; background: #0f6cbd; color: #fff; text-align: center; }
  img { display: block; width: 100%; border: 1px solid #d5dae2; border-radius: 8px; }
`;

export { startBrowser };
