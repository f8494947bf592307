import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { hashAuditToken, makeAuditToken } from "../../client/http/audit-token.ts";
import { recordAuditToken } from "../../core/catalog/audit-tokens.ts";
import { query } from "../../core/catalog/catalog.ts";
import { recordCheckpoint, recordPublished } from "../../core/catalog/record-checkpoint.ts";
import { openLog } from "../../core/ledger/log.ts";
import { auditBundle, parseBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { entryBytes, type LogEntry } from "../../core/ledger/verify/entry.ts";
import { fromHex, leafHash, toHex } from "../../core/ledger/verify/hash.ts";
import { verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { trustedKey } from "../../core/ledger/verify/trust.ts";
import { appendEvents, databaseCommitment, type LogEvent } from "../../core/site/append-events.ts";
import { type AuditSite, createAuditSite } from "../integration/audit-site.ts";
import { askSteadily, quantile } from "./ledger-load.ts";
import { benchIdentity, writeBenchLog } from "./ledger-log.ts";

// `npm run bench:ledger`: a large log, proofs asked of the audit API (a process of its own) at a steady rate, appends, and the verification of a bundle.

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    entries: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "30" },
  },
});
const [size, seconds] = [Number(options.entries), Number(options.seconds)];
if (![size, seconds].every((number) => Number.isSafeInteger(number) && number > 0)) {
  process.stderr.write("--entries and --seconds must be whole numbers from 1\n");
  process.exit(2);
}
const targets = { p50: 20, p99: 100, perSecond: 1_000, verify: 100 };
const perSecond = 50;
const appendBatch = 1_000;
const note = (line: string): void => void process.stderr.write(`${line}\n`);

const prepare = async (own: AuditSite): Promise<void> => {
  const { site } = own;
  const { origin } = site.loaded.config.log;
  const catalog = await site.catalog();
  const root = await writeBenchLog(join(own.folder, "store"), {
    size,
    origin,
    database: await databaseCommitment(site, "shop"),
    signer: await site.logSigner(),
  });
  await query(
    catalog,
    "filling it",
    `INSERT INTO dbgov.log_entry (identity, log_index, kind, database, sequence, entry_hash, at)
     SELECT 'bench/' || i, i, 'snapshot-failed', 'shop', i + 1, sha256(i::text::bytea), '2026-01-01Z'::timestamptz + i * interval '1 s'
     FROM generate_series(0, $1::bigint - 1) AS i`,
    [size],
  );
  await query(catalog, "counting it", "VACUUM ANALYZE dbgov.log_entry");
  const log = await openLog({ store: await site.store("local"), origin, signer: await site.logSigner() });
  const { note: signed } = log.checkpoint();
  await recordCheckpoint(catalog, { origin, size, root: toHex(root), note: signed, at: new Date() });
  await recordPublished(catalog, origin, size, signed, new Date());
  await own.anchor();
};

const serve = async (own: AuditSite) => {
  const launcher = join(import.meta.dirname, "..", "..", "client", "cli", "main.ts");
  const args = [launcher, "audit", "serve", "--config", own.config, "--listen", "127.0.0.1:0", "--json"];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...own.environment }, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const memory = async (): Promise<number> => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1_024;
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await once(child, "close");
  };
  return { url, memory, stop };
};

/** Every answer's proof is checked, so that none is fast because it is wrong. */
const measureProofs = async (own: AuditSite, trust: Trust) => {
  const { id, token } = makeAuditToken();
  const times = { createdAt: new Date(), expiresAt: new Date(Date.now() + 3_600_000) };
  await recordAuditToken(await own.site.catalog(), {
    id,
    auditor: "bench",
    hash: hashAuditToken(token),
    databases: null,
    kinds: null,
    ...times,
  });
  const api = await serve(own);
  const answer = async (path: string): Promise<string> => {
    const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
    return await response.text();
  };
  const ask = async (): Promise<void> => {
    const index = Math.floor(Math.random() * size);
    const { checkpoint, entry, inclusion } = JSON.parse(await answer(`/v1/entries/${index}`)) as {
      checkpoint: string;
      entry: LogEntry;
      inclusion: string[];
    };
    const head = openCheckpoint(checkpoint, trust.log.origin, trustedKey(trust));
    const right = "size" in head && verifyInclusion(leafHash(entryBytes(entry)), index, head.size, inclusion.map(fromHex), head.root);
    if (!right) throw new Error(`the proof of entry ${index} does not hold`);
  };
  try {
    await askSteadily(perSecond, Math.min(5, seconds), ask);
    const memory = [await api.memory()];
    const times: number[] = [];
    for (let third = 0; third < 3; third++) {
      times.push(...(await askSteadily(perSecond, seconds / 3, ask)));
      memory.push(await api.memory());
    }
    const grown = memory.map((megabytes) => megabytes.toFixed(0)).join(", ");
    note(`  the server's memory, after warming up and after each third of ${times.length} proofs: ${grown} MB`);
    return { proof: { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }, bundle: await answer(`/v1/entries/${size >> 1}/bundle`) };
  } finally {
    await api.stop();
  }
};

const measureVerify = (text: string, trust: Trust): number => {
  const { anchors } = JSON.parse(text) as { anchors: { block: number; blockHash: string }[] };
  const finalizedBlocks = anchors.map(({ block, blockHash }) => ({ number: block, hash: blockHash }));
  const policy: Trust = { ...trust, chains: trust.chains!.map((chain) => ({ ...chain, finalizedBlocks })), require: { anchor: true } };
  const times = Array.from({ length: 200 }, () => {
    const started = performance.now();
    const { verified, failures } = auditBundle(parseBundle(text), policy);
    if (!verified) throw new Error(`the bundle does not verify: ${JSON.stringify(failures)}`);
    return performance.now() - started;
  });
  return quantile(times, 0.5);
};

/** Through all that an append does, in batches, for as long as the proofs took. */
const measureAppends = async ({ site }: AuditSite): Promise<number> => {
  const database = await databaseCommitment(site, "shop");
  const signal = new AbortController().signal;
  const started = performance.now();
  let appended = 0;
  while (performance.now() - started < seconds * 1_000) {
    const time = new Date().toISOString();
    const events = Array.from(
      { length: appendBatch },
      (_, at): LogEvent => ({
        identity: benchIdentity(size + appended + at),
        database: "shop",
        body: { kind: "snapshot-failed", time, database, run: `${size + appended + at}`, failure: "StoreUnreachable" },
      }),
    );
    await appendEvents(site, events, signal, () => {});
    appended += appendBatch;
  }
  return (appended * 1_000) / (performance.now() - started);
};

const own = await createAuditSite(["shop"]);
try {
  note(`a log of ${size.toLocaleString("en")} entries`);
  await prepare(own);
  const trust = await own.trust();
  note(`proofs, ${perSecond} a second for ${seconds} s`);
  const { proof, bundle } = await measureProofs(own, trust);
  note("a bundle, verified 200 times");
  const median = measureVerify(bundle, trust);
  note(`appends, in batches of ${appendBatch}, for ${seconds} s`);
  const rate = await measureAppends(own);
  const round = (value: number): number => Math.round(value * 100) / 100;
  if (options.json) {
    const result = {
      proof: { p50: round(proof.p50), p99: round(proof.p99) },
      append: { perSecond: Math.round(rate) },
      verify: { median: round(median) },
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    const lines = [
      `proof served, median    ${round(proof.p50)} ms (target: under ${targets.p50})`,
      `proof served, p99       ${round(proof.p99)} ms (target: under ${targets.p99})`,
      `entries appended        ${Math.round(rate)} a second (target: ${targets.perSecond})`,
      `bundle verified, median ${round(median)} ms (target: under ${targets.verify})`,
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  }
} finally {
  await own.close();
}
