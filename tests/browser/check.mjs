// Opens pages in one Chromium and tells what a reader, a checker and a policy would meet there.
//
// One JSON job per line on standard input, one JSON answer per line on standard output:
//   {"page": FILE or loopback URL, "scheme": "light" | "dark", "width": 1280, "height": 900,
//    "scripts": true, "media": "screen" | "print", "motion": "reduce" | "no-preference",
//    "checks": ["axe", "htmlcs", "overflow", "tree", "contrast"], "axe": {axe's options},
//    "steps": [["click", SELECTOR], ["type", SELECTOR, WORDS], ["press", KEY],
//              ["focus", SELECTOR], ["media", NAME], ["ask", EXPRESSION]],
//    "picture": FILE}
// The answer holds what each check found, the values of every "ask", and in any case
// dialogs, console messages, policy violations and requests beyond the page itself.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import puppeteer from "puppeteer-core";

import { axe, chartContrast, elementTree, overflow, sniff } from "./in_page.mjs";

const found = createRequire(import.meta.url);
const AXE = await readFile(found.resolve("axe-core/axe.min.js"), "utf8");
const SNIFFER = await readFile(found.resolve("html_codesniffer/build/HTMLCS.js"), "utf8");

const CHECKS = {
  axe: async (page, job) => {
    await page.evaluate(AXE);
    return page.evaluate(axe, job.axe ?? {});
  },
  htmlcs: async (page) => {
    await page.evaluate(SNIFFER);
    return page.evaluate(sniff, "WCAG2AA");
  },
  overflow: (page) => page.evaluate(overflow),
  tree: (page) => page.evaluate(elementTree),
  contrast: (page) => page.evaluate(chartContrast),
};

const STEPS = {
  click: (page, selector) => page.click(selector),
  type: (page, selector, words) => page.type(selector, words),
  press: (page, key) => page.keyboard.press(key),
  focus: (page, selector) => page.focus(selector),
  media: (page, name, job) => emulate(page, { ...job, media: name }),
  ask: (page, expression) => page.evaluate(expression),
};

function address(page) {
  if (!page.includes("://")) return pathToFileURL(page).href;
  const { hostname, href } = new URL(page);
  if (!["127.0.0.1", "localhost", "[::1]"].includes(hostname)) {
    throw new Error(`A page must be a file or a loopback address; got ${page}.`);
  }
  return href;
}

/** Collect whatever the page does that a report must not do. */
async function watch(page, own) {
  const seen = { dialogs: [], console: [], policy: [], requests: [] };
  page.on("dialog", async (dialog) => {
    seen.dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`));
  const session = await page.createCDPSession();
  session.on("Network.requestWillBeSent", ({ request }) => {
    if (request.url !== own && !request.url.startsWith("data:")) seen.requests.push(request.url);
  });
  session.on("Audits.issueAdded", ({ issue }) => {
    if (issue.code === "ContentSecurityPolicyIssue") seen.policy.push(issue.details);
  });
  await session.send("Network.enable");
  await session.send("Audits.enable");
  return seen;
}

/** Set medium and features in one call: either alone takes the other back. */
async function emulate(page, job) {
  page.sessionOfMedia ??= await page.createCDPSession();
  await page.sessionOfMedia.send("Emulation.setEmulatedMedia", {
    media: job.media ?? "screen",
    features: [
      { name: "prefers-color-scheme", value: job.scheme ?? "light" },
      { name: "prefers-reduced-motion", value: job.motion ?? "reduce" },
    ],
  });
}

async function open(page, job, own) {
  await page.setViewport({ width: job.width ?? 1280, height: job.height ?? 900 });
  await emulate(page, job);
  await page.setJavaScriptEnabled(job.scripts ?? true);
  await page.goto(own, { waitUntil: "load" });
  // The page's own scripts have had their chance; the checkers need theirs.
  await page.setJavaScriptEnabled(true);
}

async function answer(browser, job) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    const own = address(job.page);
    const seen = await watch(page, own);
    await open(page, job, own);
    const told = { answers: [] };
    for (const [kind, ...words] of job.steps ?? []) {
      const value = await STEPS[kind](page, ...words, job);
      if (kind === "ask") told.answers.push(value ?? null);
    }
    // A picture taken first shows the page as a reader has it, without a checker's traces.
    if (job.picture) await page.screenshot({ path: job.picture, fullPage: job.whole ?? false });
    for (const name of job.checks ?? []) told[name] = await CHECKS[name](page, job);
    return { ...told, ...seen };
  } finally {
    await context.close();
  }
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  protocolTimeout: 300_000,
  args: [
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ],
});
try {
  for await (const line of createInterface({ input: process.stdin })) {
    let told;
    try {
      told = await answer(browser, JSON.parse(line));
    } catch (error) {
      told = { failed: String(error.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
} finally {
  await browser.close();
}
