import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import type { EntryBody } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { buildPeriodPages } from "../../core/ledger/period-statement.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import { requestTimestamp } from "../../core/ledger/rfc3161.ts";
import { trimToken } from "../../core/ledger/trim-token.ts";
import { type Certificate, isForTimeStamping, pathToRoot, readPemCertificates } from "../../core/ledger/verify/certificates.ts";
import { checkpointText } from "../../core/ledger/verify/checkpoint.ts";
import { sha256, utf8 } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { startPeriodAudit } from "../../core/ledger/verify/period.ts";
import { checkpointHash, openTimestamp } from "../../core/ledger/verify/timestamp.ts";
import type { Trust } from "../../core/ledger/verify/trust.ts";
import { pythonWithCryptography } from "../stack/setup/python-packages.ts";
import { nameSalt, origin, sealedDraft, testSigner } from "../unit/ledger-fixtures.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";
import { startAuthority, type TestAuthority } from "./ledger-authority.ts";

const rejectedWith = (type: FailureType, words: RegExp) => (error: unknown) => {
  assert.ok(isFailure(error, type), `${error}`);
  assert.match(error.message, words);
  return true;
};

describe("time stamps of an authority that runs OpenSSL", () => {
  let authority: TestAuthority;
  let folder: string;
  let roots: Certificate[];
  const text = "acme.example/dbgov\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const hash = sha256(utf8(text));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-authority-"));
    authority = await startAuthority(folder);
    roots = readPemCertificates(await readFile(authority.roots, "utf8"));
    await writeFile(join(folder, "text"), text);
  });
  after(async () => {
    await authority?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (changes: object = {}) => requestTimestamp({ name: "tsa", url: authority.url, roots, timeoutMs: 5_000, ...changes }, hash);
  const reasonOf = (token: Uint8Array, trusted: readonly Certificate[] = roots, of = hash): string => {
    const opened = openTimestamp(token, of, trusted);
    return "reason" in opened ? opened.reason : "none";
  };
  /** What `openssl ts -verify` makes of the same token. */
  const opensslAgrees = async (token: Uint8Array): Promise<boolean> => {
    await writeFile(join(folder, "token"), token);
    const trust = ["-CAfile", "root.pem", "-untrusted", "chain.pem"];
    return await authority.openssl("ts", "-verify", "-data", "text", "-in", "token", "-token_in", ...trust).then(
      () => true,
      () => false,
    );
  };

  test("a token is asked for, verified with its chain, and OpenSSL verifies it too: EC with SHA-256, RSA with SHA-512 and the older attribute", async () => {
    for (const signer of ["ec", "rsa"]) {
      const { token, timestamp } = await ask({ url: `${authority.url}?signer=${signer}` });
      assert.ok(Math.abs(Date.parse(timestamp.time) - Date.now()) < 120_000);
      assert.deepEqual([timestamp.policy, timestamp.authority], ["1.2.3.4.1", `CN=Test ${signer}`]);
      assert.equal(reasonOf(token), "none");
      assert.ok(await opensslAgrees(token));
      assert.match(reasonOf(token, roots, sha256(utf8("another text"))), /is of another hash/);
    }
  });

  test("a statement of several pages is time-stamped as its last entry is, and both verifiers say so", async () => {
    const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    for (const days of [9, 5, 0]) {
      const { identity, body } = sealedDraft(days);
      await log.append([{ identity, body: { ...body, time: daysAgo(days) } as EntryBody }]);
    }
    const { size, root } = log.checkpoint();
    const name = { name: "tsa", url: authority.url, roots, timeoutMs: 30_000 };
    const { token } = await requestTimestamp(name, checkpointHash(checkpointText(origin, size, root)));
    const places = (await Array.fromAsync(log.entries())).map(({ index, entry: { time } }) => ({ index, time }));
    const pagesUntil = async (to: string): Promise<unknown[]> => {
      const timestamps = [trimToken(token, checkpointHash(checkpointText(origin, size, root)), roots)];
      const attest = (index: number) => buildProofBundle({ log, index, timestamps });
      const database = { name: "orders", salt: nameSalt };
      const pages = await buildPeriodPages({ log, places, database, from: daysAgo(20), to, attest, atMost: 1 });
      const made = await Promise.all(Array.from({ length: pages.count }, (_, at) => pages.page(at + 1)));
      return JSON.parse(JSON.stringify(made)) as unknown[];
    };
    const policy: Trust = {
      log: { origin, publicKey: formatNoteKey({ name: origin, publicKey: testSigner().publicKey }) },
      authorities: [await readFile(authority.roots, "utf8")],
      require: { anchor: false, timestamp: true, anchorWithinSeconds: 3_600 },
    };
    const recent = await pagesUntil(daysAgo(-1));
    // The log's last entry, from after the period, is what stands at its end.
    const bordered = await pagesUntil(daysAgo(1));
    const { after: _, ...cut } = bordered.at(-1) as { after: unknown };
    const old = [...bordered.slice(0, -1), cut];
    assert.deepEqual([recent.length, old.length], [3, 2]);
    const cases = [recent, bordered, old].map((pages) => ({ pages, trust: policy }));
    const verdicts = cases.map(({ pages, trust }) => {
      const audit = startPeriodAudit(trust);
      for (const page of pages) audit.take(page);
      return audit.report().failures.map(({ part, reason }) => `${part} ${reason}`);
    });
    assert.deepEqual(verdicts.slice(0, 2), [[], []]);
    assert.match(verdicts[2]!.join(), /^pages\[1\]\.timestamps are required, and none is verified: .* more than 3600 s after the entry's$/);
    const path = join(folder, "cases.json");
    await writeFile(path, JSON.stringify(cases));
    const { command, env } = await pythonWithCryptography(() => {});
    const verifier = join(import.meta.dirname, "../unit/proof-verifier.py");
    const { stdout } = await promisify(execFile)(command, [verifier, path], { env: { ...process.env, ...env } });
    assert.deepEqual(JSON.parse(stdout), [null, null, "no time stamp"]);
  });

  test("a signer of another root, one that is not for time stamping alone, and no root at all are refused", async () => {
    const url = (signer: string) => ({ url: `${authority.url}?signer=${signer}` });
    await assert.rejects(
      ask(url("stranger")),
      rejectedWith("AuthorityRejected", /at 127\.0\.0\.1:\d+: its token is signed by a certificate that does not lead/),
    );
    const others = readPemCertificates(await readFile(join(folder, "other.pem"), "utf8"));
    assert.equal((await ask({ ...url("stranger"), roots: others })).timestamp.authority, "CN=Test stranger");
    const { token } = await ask();
    assert.match(reasonOf(token, []), /does not lead to a trusted root/);
    assert.match(reasonOf(token, others), /does not lead to a trusted root/);
  });

  test("the chain is judged at the token's time, and each purpose and authority in it counts", async () => {
    const read = async (name: string) => readPemCertificates(await readFile(join(folder, `${name}.pem`), "utf8"))[0]!;
    const [ec, web, middle, root] = await Promise.all([read("ec"), read("web"), read("middle"), read("root")]);
    const leads = (days: number, others = [middle]) =>
      pathToRoot(ec, others, [root], new Date(Date.now() + days * 86_400_000)) !== undefined;
    assert.deepEqual(
      [-1, 0, 10, 25].map((days) => leads(days)),
      [false, true, true, false],
    );
    assert.equal(leads(0, []), false, "a link is missing");
    assert.equal(pathToRoot(middle, [ec], [ec], new Date()), undefined, "who is no authority issues nothing");
    assert.deepEqual([ec, web, middle].map(isForTimeStamping), [true, false, false]);
  });

  test("certificates that a token does not need are told, and left out of what goes into a bundle", async () => {
    const { token } = await ask();
    const middle = readPemCertificates(await readFile(join(folder, "middle.pem"), "utf8"));
    const surplusOf = (one: Uint8Array): number | string => {
      const opened = openTimestamp(one, hash, middle);
      return "reason" in opened ? opened.reason : opened.surplus;
    };
    assert.equal(surplusOf(token), 1, "the root, for whom the one below it suffices");
    const trimmed = trimToken(token, hash, middle);
    assert.ok(trimmed.length < token.length);
    assert.equal(surplusOf(trimmed), 0);
    assert.ok(await opensslAgrees(trimmed));
    assert.equal(trimToken(token, hash, roots), token);
    assert.equal(trimToken(token, sha256(utf8("another text")), roots), token);
  });

  test("every byte of a token counts: none of them altered, and no prefix, is taken, and OpenSSL takes none that we refuse for its signature", async () => {
    const { token } = await ask();
    const taken: number[] = [];
    for (let at = 0; at < token.length; at++) {
      const altered = token.slice();
      altered[at]! ^= 0x01;
      const reason = reasonOf(altered);
      if (reason === "none") taken.push(at);
      if (at % 64 === 0) assert.notEqual(reasonOf(token.subarray(0, at)), "none");
    }
    // The root comes with the token and is not taken from there; what else nothing signs are two versions and the list of digests.
    const [root] = roots as [Certificate];
    const start = Buffer.from(token).indexOf(root.raw);
    const outside = taken.filter((at) => at < start || at >= start + root.raw.length);
    assert.ok(start > 0 && outside.length < 24, `bytes ${outside.join(", ")} of ${token.length} could be altered`);
    const cut = token.slice();
    cut[token.length - 5]! ^= 0x10;
    assert.match(reasonOf(cut), /has a signature that is wrong/);
    assert.equal(await opensslAgrees(cut), false);
    assert.match(reasonOf(new Uint8Array(100_000)), /is larger than/);
    assert.match(reasonOf(Uint8Array.of(0x30, 0x80, 0, 0)), /no time-stamp token that can be read/);
    assert.match(reasonOf(new Uint8Array()), /no time-stamp token that can be read/);
  });

  test("an authority that is away, errs, talks nonsense, refuses, or answers another request", async () => {
    await assert.rejects(ask({ url: "http://127.0.0.1:9/" }), rejectedWith("AuthorityUnreachable", /tsa at 127\.0\.0\.1:9: no connection/));
    const answered = async (status: number, body: Uint8Array) => {
      authority.instead = { status, body };
      await ask().finally(() => {
        authority.instead = undefined;
      });
    };
    await assert.rejects(answered(503, new Uint8Array()), rejectedWith("AuthorityUnreachable", /HTTP 503/));
    await assert.rejects(answered(200, utf8("<html>")), rejectedWith("AuthorityUnreachable", /no RFC 3161 reply/));
    await assert.rejects(
      answered(200, Uint8Array.of(0x30, 5, 0x30, 3, 2, 1, 2)),
      rejectedWith("AuthorityRejected", /it refuses \(status 2\)/),
    );
    const query = await readFile(join(folder, "1.tsq"));
    await assert.rejects(
      answered(200, await authority.reply(query, "ec")),
      rejectedWith("AuthorityRejected", /its token answers another request/),
    );
  });
});
