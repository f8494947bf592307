import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { buildPage, pagePath } from "../../client/audit-page/build.ts";
import { auditBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { auditMisbehavior } from "../../core/ledger/verify/misbehavior.ts";
import { startPeriodAudit } from "../../core/ledger/verify/period.ts";
import { findChromium } from "../stack/setup/chromium.ts";
import { type Json, pagedStatement, plain, some, variantsOf } from "../unit/ledger-periods.ts";
import { allTampered, bundle, trust, vectors } from "../unit/ledger-tampering.ts";
import { until } from "./ledger-chain.ts";

test("docs/audit.html is what its sources make of it", async () => {
  assert.ok((await readFile(pagePath, "utf8")) === (await buildPage()), "docs/audit.html is not current: npm run docs");
});

describe("the page of the audit, in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let folder: string;
  const requests: string[] = [];
  const errors: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-page-"));
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: await findChromium(() => {}), headless: true, args });
    page = await browser.newPage({ viewport: { width: 820, height: 600 } });
    page.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => errors.push(message.text()));
    await page.goto(pathToFileURL(pagePath).href);
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const give = async (kind: "bundle" | "trust", value: unknown, text = JSON.stringify(value)): Promise<void> => {
    await page.setInputFiles(`#${kind}-file`, { name: `${kind}.json`, mimeType: "application/json", buffer: Buffer.from(text) });
  };
  const report = async () => JSON.parse((await page.textContent("#report")) ?? "null");
  const states = () => page.$$eval("#steps li", (items) => items.map(({ className }) => className));

  test("a person chooses both files and sees each step, the picture, and the very report of the command line", async () => {
    await give("bundle", bundle);
    assert.equal(await page.isVisible("#result"), false, "nothing is said without a trust policy");
    await give("trust", trust);
    await page.waitForSelector("#verdict.right");
    assert.deepEqual(await report(), JSON.parse(JSON.stringify(auditBundle(bundle, trust))));
    assert.deepEqual(await states(), Array(9).fill("right"));
    const words = (await page.$$eval("svg text", (texts) => texts.map(({ textContent }) => textContent))).join("\n");
    for (const word of [
      "entry 3: snapshot-sealed",
      "computed root",
      "signed checkpoint of 20 entries",
      "block 4 of chain 31338",
      "CN=Test ec",
    ]) {
      assert.ok(words.includes(word), word);
    }
    assert.equal(await page.locator("svg .box.beside").count(), bundle.inclusion.length);
    if (process.env.DBGOV_SCREENSHOT !== undefined)
      await page.screenshot({ path: process.env.DBGOV_SCREENSHOT, fullPage: true, type: "jpeg", quality: 60 });
  });

  test("files that are dropped anywhere are told by their content", async () => {
    await page.reload();
    const files = [trust, bundle].map((value) => JSON.stringify(value));
    await page.evaluate((texts) => {
      const data = new (globalThis as unknown as { DataTransfer: new () => { items: { add(file: unknown): void } } }).DataTransfer();
      for (const [at, text] of texts.entries()) data.items.add(new File([text], `${at}.json`));
      const made = globalThis as unknown as { DragEvent: new (name: string, more: object) => Event; document: EventTarget };
      made.document.dispatchEvent(new made.DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, files);
    await page.waitForSelector("#verdict.right");
  });

  test("what was tampered with is red where it is wrong, for the reasons that the command line gives", async () => {
    const tampered = allTampered().filter(
      ({ what, kind }, at) => kind.startsWith("other") || kind === "replayed" || at % 60 === 0 || /token/.test(what),
    );
    const sample = tampered.filter((_, at) => at % 3 === 0);
    assert.ok(sample.length > 20);
    for (const { what, bundle: value, trust: policy } of sample) {
      const text = JSON.stringify(value);
      if (!text.includes('"dbgov-proof"')) continue;
      await give("trust", policy);
      await give("bundle", value, text);
      const expected = JSON.parse(JSON.stringify(auditBundle(JSON.parse(text), policy)));
      await until(
        () => page.textContent("#report"),
        (told) => told === JSON.stringify(expected, undefined, 2),
      );
      assert.equal(await page.locator("#verdict.wrong").count(), 1, what);
      assert.ok((await states()).includes("wrong"), what);
    }
  });

  test("an RSA time stamp verifies too; what is no bundle is told; a name in a bundle is no HTML", async () => {
    await give("trust", trust);
    await give("bundle", vectors.other);
    await page.waitForSelector("#verdict.right");
    assert.equal((await report()).timestamps[0].authority, "CN=Test rsa");
    await give("bundle", undefined, "<html>");
    await until(
      () => page.textContent("#bundle-problem"),
      (told) => told?.includes("is not JSON") === true,
    );
    assert.equal(await page.isVisible("#result"), false);
    await give("bundle", { ...bundle, database: { name: "<img src=x onerror=alert(1)>", salt: "00".repeat(32) } });
    await page.waitForSelector("#verdict.wrong");
    assert.equal(await page.locator("img").count(), 0);
  });

  test("statements of periods, with all of their pages, and proofs of misbehavior are told as the command line tells them", async () => {
    const { pages, policy } = await pagedStatement();
    const giveAll = (values: readonly unknown[]) =>
      page.setInputFiles(
        "#bundle-file",
        values.map((value, at) => ({ name: `${at}.json`, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(value)) })),
      );
    const told = async (values: readonly unknown[], given: Trust): Promise<void> => {
      const audit = startPeriodAudit(given);
      for (const value of values) audit.take(JSON.parse(JSON.stringify(value)));
      const expected = JSON.stringify(audit.report(), undefined, 2);
      await until(
        () => page.textContent("#report"),
        (text) => text === expected,
      );
    };
    await give("trust", policy);
    await giveAll(pages.toReversed());
    await told(pages, policy);
    assert.match((await page.textContent("#verdict.right")) ?? "", /no entry is missing/);
    assert.deepEqual((await states()).toSorted(), [...Array(4).fill("not-asked-for"), "missed", ...Array(6).fill("right")].toSorted());
    await giveAll(pages.slice(1));
    await told(pages.slice(1), policy);
    assert.ok((await states()).includes("wrong"));
    const [first, ...others] = pages;
    const without = [{ ...first!, entries: first!.entries.slice(1) }, ...others];
    await giveAll(without);
    await told(without, policy);
    const [one, two, three] = pages.map(plain) as [Json, Json, Json];
    for (const variant of some(variantsOf(two), 40)) {
      await giveAll([one, variant, three]);
      await told([one, variant, three], policy);
    }
    await giveAll(without);
    await told(without, policy);
    assert.match((await page.textContent("#steps li.wrong")) ?? "", /none is missing.*an entry is missing/);

    await give("trust", trust);
    const { checkpoint, entry, index, inclusion } = vectors.rewritten;
    const proof = {
      format: "dbgov-misbehavior",
      version: 1,
      views: [{ checkpoint: bundle.checkpoint }, { checkpoint, entry: { entry, index, inclusion } }],
    };
    await give("bundle", proof);
    await until(
      () => page.textContent("#report"),
      (text) => text === JSON.stringify(auditMisbehavior(proof, trust), undefined, 2),
    );
    assert.match((await page.textContent("#verdict.right")) ?? "", /contradicted itself/);
    await give("bundle", { ...proof, views: [proof.views[0], proof.views[0]] });
    await page.waitForSelector("#verdict.wrong");
  });

  test("asks no network for anything, and could not", async () => {
    assert.deepEqual(errors, []);
    assert.ok(requests.length > 0 && requests.every((url) => url.startsWith("file:")), requests.join("\n"));
    const refused = await page.evaluate(() => fetch("http://127.0.0.1:9/").then(String, (error: Error) => error.message));
    assert.match(refused, /Failed to fetch/);
    assert.match(errors.join("\n"), /Content Security Policy/);
    // A script that somebody adds to the file does not run: the policy names the one that does.
    const meddled = join(folder, "meddled.html");
    await writeFile(meddled, (await readFile(pagePath, "utf8")).replace("</body>", "<script>document.title = 'meddled'</script></body>"));
    await page.goto(pathToFileURL(meddled).href);
    assert.equal(await page.title(), "Check a dbgov proof");
  });
});
