import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { auditBundle, parseBundle, parseTrust } from "../../core/ledger/verify/audit.ts";
import { largestBundle } from "../../core/ledger/verify/bundle.ts";
import { type Certificate, pathToRoot, readPemCertificates } from "../../core/ledger/verify/certificates.ts";
import { readElements } from "../../core/ledger/verify/der.ts";
import { readJson } from "../../core/ledger/verify/json.ts";
import { parseNote } from "../../core/ledger/verify/note.ts";
import { decodeRlp } from "../../core/ledger/verify/rlp.ts";
import { openTimestamp } from "../../core/ledger/verify/timestamp.ts";
import { parseTlogProof } from "../../core/ledger/verify/tlog-proof.ts";
import { bundle, trust } from "./ledger-tampering.ts";

const root = join(import.meta.dirname, "../..");
const text = JSON.stringify(bundle);
const full = (what: string): string => what.repeat(Math.floor((largestBundle - 100) / what.length));
const inBundle = (json: string): string => `{"format":"dbgov-proof","version":1,"entry":${json}}`;

/** Each as large as a file may be, and made to cost as much as it can. */
const hostile: Readonly<Record<string, string>> = {
  "nested lists": inBundle(full("[").slice(0, 4e6) + "]".repeat(4e6)),
  "nested objects, cut off": inBundle(full('{"a":')),
  "empty lists": inBundle(`[${full("[],")}0]`),
  "empty objects": inBundle(`[${full("{},")}0]`),
  numbers: inBundle(`[${full("1,")}1]`),
  "a long string": inBundle(`"${full("x")}"`),
  "a long string of escapes": inBundle(`"${full("\\u0000")}"`),
  "a long number": inBundle(full("9")),
  "many keys": inBundle(`{${Array.from({ length: 600_000 }, (_, at) => `"k${at}":1`).join(",")}}`),
  "one key twice": text.replace('"index":3', '"index":4,"index":3'),
  "one key twice, written differently": text.replace('"index":3', '"\\u0069ndex":4,"index":3'),
  "a string that does not end": `{"format":"${full("\\\\")}`,
  nothing: "",
  spaces: full(" "),
};

const heaviest = (): Record<string, string> => {
  const [anchor] = bundle.anchors as [(typeof bundle.anchors)[number]];
  const node = `0x${"ab".repeat(20_000)}`;
  const many = (transactionProof: readonly string[]) =>
    Array.from({ length: 8 }, (_, at) => ({ ...anchor, transaction: `0x${`${at}`.repeat(64)}`, transactionProof }));
  const token = (at: number) => ({ kind: "rfc3161", token: Buffer.alloc(60_000, at).toString("base64") });
  return {
    "the largest nodes": JSON.stringify({ ...bundle, anchors: many(Array(24).fill(node)) }),
    "a header of 3 MiB": JSON.stringify({ ...bundle, anchors: [{ ...anchor, header: `0x${"c0".repeat(131_072)}` }] }),
    "eight tokens of zeros and ones": JSON.stringify({ ...bundle, timestamps: Array.from({ length: 8 }, (_, at) => token(at)) }),
    "prototype keys": text.replace('"index":3', '"__proto__":{"index":3},"constructor":1,"index":3'),
    "lone surrogates": JSON.stringify({ ...bundle, database: { name: "\ud800", salt: "00".repeat(32) } }),
  };
};

describe("the limits of the audit", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-limits-"));
    // What the process has used at its end, on a line of its own.
    await writeFile(
      join(folder, "told.mjs"),
      'process.on("exit", () => { const { maxRSS, userCPUTime } = process.resourceUsage(); process.stderr.write("\\n" + JSON.stringify({ maxRSS, userCPUTime }) + "\\n"); });',
    );
    await writeFile(join(folder, "trust.json"), JSON.stringify(trust));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const audit = (path: string): Promise<{ code: number; stdout: string; megabytes: number; seconds: number }> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, NODE_OPTIONS: `--import ${pathToFileURL(join(folder, "told.mjs")).href}` };
      const args = ["audit", path, "--trust", join(folder, "trust.json"), "--json"];
      const started = performance.now();
      execFile(join(root, "bin/dbgov"), args, { env, timeout: 20_000 }, (error, stdout, stderr) => {
        const told = stderr.trim().split("\n").at(-1) ?? "";
        if (!told.startsWith("{")) return reject(new Error(`${path}: ${stderr}`));
        const { maxRSS } = JSON.parse(told) as { maxRSS: number };
        resolve({ code: Number(error?.code ?? 0), stdout, megabytes: maxRSS / 1024, seconds: (performance.now() - started) / 1000 });
      });
    });

  test("the command ends with 0, 5 or 2 within 10 s and 256 MB, on anything", async () => {
    const worst = { megabytes: 0, seconds: 0 };
    const check = async (what: string, content: string, code: number): Promise<void> => {
      const path = join(folder, "input.json");
      await writeFile(path, content);
      const found = await audit(path);
      assert.equal(found.code, code, `${what}: ${found.stdout}`);
      assert.ok(found.megabytes < 256 && found.seconds < 10, `${what}: ${found.megabytes} MB, ${found.seconds} s`);
      if (code === 5)
        assert.ok(
          (JSON.parse(found.stdout) as { failures: { part: string; reason: string }[] }).failures.every(
            ({ part, reason }) => part && reason,
          ),
        );
      worst.megabytes = Math.max(worst.megabytes, found.megabytes);
      worst.seconds = Math.max(worst.seconds, found.seconds);
    };
    await check("the example", text, 0);
    for (const [what, content] of Object.entries(hostile)) await check(what, content, what.startsWith("a long") ? 5 : 2);
    for (const [what, content] of Object.entries(heaviest())) await check(what, content, 5);
    for (const path of ["/dev/zero", folder, join(folder, "missing")]) assert.equal((await audit(path)).code, 2, path);
    console.log(`at most ${worst.megabytes.toFixed(0)} MB and ${worst.seconds.toFixed(1)} s`);
  });

  test("certificates that all issue each other do not keep it busy", async () => {
    const [certificate] = readPemCertificates(trust.authorities![0]!) as [Certificate];
    const others = Array.from({ length: 2000 }, (_, at) => ({ ...certificate, raw: Uint8Array.of(at >> 8, at & 255) }));
    const started = performance.now();
    assert.equal(pathToRoot(others[0]!, others, [], certificate.from), undefined);
    assert.ok(performance.now() - started < 2000);
  });

  test("no parser throws anything but what it says, whatever bytes it gets, and none is slow", () => {
    const started = performance.now();
    const genuine = [text, JSON.stringify(trust), bundle.checkpoint];
    const damaged = fc
      .tuple(
        fc.constantFrom(...genuine),
        fc.array(fc.tuple(fc.nat(), fc.string({ maxLength: 4 }), fc.nat(3)), { minLength: 1, maxLength: 6 }),
      )
      .map(([of, changes]) =>
        changes.reduce((now, [where, what, cut]) => now.slice(0, where % now.length) + what + now.slice((where % now.length) + cut), of),
      );
    const input = fc.oneof(damaged, fc.string(), fc.json(), fc.string({ unit: "binary", maxLength: 2000 }));
    fc.assert(
      fc.property(input, (content) => {
        for (const parse of [parseBundle, parseTrust] as const) {
          try {
            const value = parse(content);
            if (parse === parseBundle) auditBundle(value, trust);
          } catch (error) {
            assert.equal((error as Error).name, "AuditInputError", String(error));
          }
        }
        const read = readJson(content, { characters: 1e6, depth: 8, values: 1e4 });
        if ("value" in read) assert.deepEqual(read.value, JSON.parse(content));
        parseNote(content);
        parseTlogProof(content);
      }),
      { numRuns: 2000 },
    );
    const token = new Uint8Array(Buffer.from(bundle.timestamps![0]!.token, "base64"));
    const roots = readPemCertificates(trust.authorities![0]!);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(token.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
        const altered = token.slice();
        for (const [at, byte] of changes) altered[at] = byte;
        openTimestamp(altered, new Uint8Array(32), roots);
        decodeRlp(altered);
        try {
          readElements(altered);
        } catch (error) {
          assert.equal((error as Error).name, "DerError");
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(performance.now() - started < 60_000);
  });

  test("what was refused once is refused by the words that say what it is", async () => {
    const refused = (content: string): string => {
      try {
        parseBundle(content);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(refused(hostile["nested lists"]!), /nests deeper than 8/);
    assert.match(refused(hostile["empty objects"]!), /more than 300000 values/);
    assert.match(refused(hostile["one key twice, written differently"]!), /the key "index" twice/);
    assert.match(refused(" ".repeat(largestBundle + 1)), /larger than 8 MiB/);
    assert.equal(refused(await readFile(join(root, "docs/proof-example/bundle.json"), "utf8")), "");
  });
});
