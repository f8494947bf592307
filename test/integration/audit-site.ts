import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { migrate } from "../../core/catalog/migrate.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import { addressOfKey, anchorStatus, deployRegistry, submitCheckpoint } from "../../core/ledger/evm.ts";
import { openLog } from "../../core/ledger/log.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import type { Trust } from "../../core/ledger/verify/trust.ts";
import { appendEvents, databaseCommitment, type LogEvent } from "../../core/site/append-events.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { useStack } from "../stack/use-stack.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { createDatabase } from "./catalog-database.ts";
import { fundedKey, until } from "./ledger-chain.ts";

/** A site with a catalog, a log in a folder and a registry on a chain, and no workers: what an auditor asks of it needs none. */
export interface AuditSite {
  readonly site: Site;
  readonly folder: string;
  readonly config: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Logs a drill of the database for each of the times. */
  log(database: string | null, ...times: readonly string[]): Promise<void>;
  append(...events: readonly LogEvent[]): Promise<void>;
  /** Anchors the log's head, and waits until that is final. */
  anchor(): Promise<void>;
  trust(): Promise<Trust>;
  close(): Promise<void>;
}

export const createAuditSite = async (databases: readonly string[]): Promise<AuditSite> => {
  const { rpc, chainId } = (await useStack("postgres", "anvil")).anvil;
  const folder = await mkdtemp(join(tmpdir(), "dbgov-audit-"));
  const catalog = await createDatabase();
  await createKeys(join(folder, "keys"));
  const key = await fundedKey(rpc);
  const { contract } = await deployRegistry({ rpc, chainId, key, submitter: addressOfKey(key) });
  const own = randomBytes(4).toString("hex").toUpperCase();
  const environment = { [`AUDIT_CATALOG_${own}`]: catalog.url, [`AUDIT_RPC_${own}`]: rpc, [`AUDIT_KEY_${own}`]: key };
  const env = (name: string) => ({ env: `AUDIT_${name}_${own}` });
  const secret = (name: string) => ({ file: `keys/${name}.secret` });
  const origin = `audit-${own.toLowerCase()}.example/log`;
  const raw = {
    organization: "audit",
    temporal: { address: "127.0.0.1:1", namespace: "none" },
    catalog: env("CATALOG"),
    keys: { dedupSecret: secret("dedup"), indexKey: secret("index"), signingKey: secret("signing"), logKey: secret("log") },
    recipients: [{ name: "recovery", publicKey: "keys/recovery.public" }],
    recoveryKit: "kit",
    databases: databases.map((name) => ({ name, engine: "postgres", url: env("CATALOG"), policy: "nightly" })),
    stores: [
      { name: "local", kind: "directory", domain: "here", path: "store" },
      { name: "away", kind: "directory", domain: "there", path: "away" },
    ],
    policies: [
      {
        name: "nightly",
        schedule: { cron: "15 2 * * *" },
        landing: "local",
        stores: ["away"],
        copies: 2,
        domains: 2,
        retention: { last: 7 },
        objectives: { recoveryPoint: "26h", recoveryTime: "1h" },
        drill: { every: "7d" },
      },
    ],
    log: { origin, store: "local" },
    anchors: [{ kind: "evm", name: "chain", rpc: env("RPC"), chainId, contract, submitterKey: env("KEY"), every: "1h" }],
  };
  const config = join(folder, "dbgov.yaml");
  await writeFile(config, stringify(raw));
  Object.assign(process.env, environment);
  const site = openSite(await loadConfig(config));
  await migrate(await site.catalog());
  const signal = new AbortController().signal;
  const append = async (...events: readonly LogEvent[]): Promise<void> => {
    await appendEvents(site, events, signal, () => {});
  };

  const anchor = async (): Promise<void> => {
    const log = await openLog({ store: await site.store("local"), origin, signer: await site.logSigner() });
    const place = { ...(await registryPlace(site, "chain")), size: log.size, root: toHex(log.checkpoint().root) };
    const { transaction } = await submitCheckpoint({ ...place, key });
    const final = await until(
      () => anchorStatus({ ...place, transaction }),
      ({ status }) => status === "finalized",
    );
    if (final.status !== "finalized") throw new Error("not final");
    const { size, root } = place;
    const { block, blockHash, status } = final;
    await recordAnchor(await site.catalog(), {
      anchor: "chain",
      size,
      root,
      chainId,
      contract,
      transaction,
      block,
      blockHash,
      status,
      at: new Date(),
    });
  };

  return {
    ...{ site, folder, config, environment, append, anchor },
    log: async (database, ...times) => {
      const named = database === null ? undefined : await databaseCommitment(site, database);
      await append(
        ...times.map((time): LogEvent => {
          const identity = `${database}/${time}/${randomBytes(4).toString("hex")}`;
          const swept = { pass: 1, fail: 0, notApplicable: 0, inconclusive: 0, reportHash: hashOf(identity) };
          if (named === undefined) return { identity, database, body: { kind: "sweep-finished", time, ...swept } };
          const snapshot = `20261124T021500Z-${randomBytes(6).toString("hex")}`;
          const drilled = { snapshot, manifestHash: hashOf(snapshot), identical: true, seconds: 1.5, rows: 10 };
          return { identity, database, body: { kind: "drilled", time, database: named, ...drilled } };
        }),
      );
    },
    trust: async () => ({
      log: { origin, publicKey: formatNoteKey({ name: origin, publicKey: new Uint8Array((await site.logSigner()).publicKey) }) },
      chains: [{ chainId, contract: contract.toLowerCase() }],
      require: { anchor: false },
    }),
    close: async () => {
      await site.close();
      await catalog.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
