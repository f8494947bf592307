import { availableParallelism } from "node:os";
import { Failure, isFailure } from "../../../core/domain/failure.ts";
import { readRecoveryKit } from "../../../core/repository/recovery-kit.ts";
import { openWithKit, snapshotsInStore } from "../../../core/snapshot/find-in-store.ts";
import { packsOfManifest, rehydratePacks } from "../../../core/snapshot/rehydrate-packs.ts";
import type { Store } from "../../../core/stores/store.ts";
import { openStoreByUrl } from "../../../core/stores/store-address.ts";
import { choiceOf } from "../choice-option.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { withoutRolesOf } from "../roles-option.ts";
import { runRestore } from "../run-restore.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { tablespacesOf } from "../tablespace-option.ts";
import { engineOfUrl, targetUrl } from "../target-url.ts";
import { dim, plural, say, table, utcSecond } from "../terminal.ts";

type Kit = Awaited<ReturnType<typeof readRecoveryKit>>;

/** Everything comes from the store and the kit: what is on fire elsewhere does not matter here. */
export const action: CommandAction = async (input) => {
  const { store: address, kit: kitPath } = input.options;
  if (typeof address !== "string" || typeof kitPath !== "string")
    throw new Failure("UsageInvalid", "recover needs --store URL and --kit PATH");
  const kit = await readRecoveryKit(kitPath);
  const store = openStoreByUrl(address, process.env);
  try {
    if (input.options.list === true) return await list(store, kit, input);
    if (input.options.rehydrate === true) return await rehydrate(store, kit, input);
    const url = targetUrl(input);
    const engine = engineOfUrl(url);
    const choice = choiceOf(input);
    const tablespaces = tablespacesOf(input, engine);
    const withoutRoles = withoutRolesOf(input, engine);
    const { manifest, access } = await choose(store, kit, input);
    const job = {
      access,
      stores: [{ address }],
      engine,
      url,
      replace: input.options.replace === true,
      parallelism: availableParallelism(),
      choice,
      tablespaces,
      withoutRoles,
      progress: { resume: input.options.resume === true },
    };
    if (!input.json) process.stderr.write(dim(`recovering ${manifest.database} as of ${manifest.capturedAt} from ${manifest.snapshot}\n`));
    return await runRestore(job, input, undefined);
  } finally {
    await store.close();
  }
};

const rehydrate = async (store: Store, kit: Kit, input: CommandInput): Promise<number> => {
  const { manifest, access } = await choose(store, kit, input);
  const needed = await packsOfManifest(manifest, access, store, input.signal);
  const priority = input.options.priority === "high" ? "high" : "standard";
  const { packs, online } = await rehydratePacks(store, needed, priority, input.signal, () => {});
  const done = packs === online;
  if (input.json) process.stdout.write(`${JSON.stringify({ snapshot: manifest.snapshot, done, packs, online })}\n`);
  else say(`${online} of the ${plural(packs, "pack")} of ${manifest.snapshot} can be read${done ? "" : ": run this again to see"}`);
  return done ? exitCodes.done : exitCodes.degraded;
};

/** Says whose kit it is that does not trust the snapshot's signature: it may be the wrong one. */
const open = async (store: Store, kit: Kit, snapshot: string, signal: AbortSignal): ReturnType<typeof openWithKit> => {
  try {
    return await openWithKit(store, kit, snapshot, signal);
  } catch (error) {
    if (!isFailure(error, "VerificationFailed")) throw error;
    throw new Failure("VerificationFailed", `${error.message} by the kit of ${kit.organization}`, { cause: error.cause });
  }
};

const choose = async (store: Store, kit: Kit, { options, signal }: CommandInput) => {
  const wanted = options.snapshot === "latest" ? "latest" : snapshotArgument(options.snapshot);
  const { database } = options;
  if (wanted !== "latest") {
    const opened = await open(store, kit, wanted, signal).catch((error: unknown) => {
      if (isFailure(error, "ObjectMissing"))
        throw new Failure("SnapshotUnknown", `snapshot ${wanted} is not in the store`, { cause: error });
      throw error;
    });
    if (typeof database === "string" && opened.manifest.database !== database) {
      throw new Failure("UsageInvalid", `snapshot ${wanted} is of ${opened.manifest.database}, not of ${database}`);
    }
    return opened;
  }
  if (typeof database !== "string") throw new Failure("UsageInvalid", "--snapshot latest needs --database NAME");
  const found = new Set<string>();
  let passedOver: Failure | undefined;
  for (const id of await snapshotsInStore(store, signal)) {
    try {
      const opened = await open(store, kit, id, signal);
      if (opened.manifest.database === database) return opened;
      found.add(opened.manifest.database);
    } catch (error) {
      // A newer snapshot than the kit's keyring, or a damaged one, must not stand between the operator and a good one.
      if (!isFailure(error) || isFailure(error, "StoreUnreachable") || isFailure(error, "StoreRejected")) throw error;
      passedOver = error as Failure;
      process.stderr.write(`passed over ${id}: ${passedOver.message}\n`);
    }
  }
  if (passedOver !== undefined && found.size === 0) throw passedOver;
  throw new Failure(
    "SnapshotUnknown",
    `the store has no snapshot of ${database} that this kit opens; it has those of: ${[...found].sort().join(", ") || "none"}`,
  );
};

const list = async (store: Store, kit: Kit, { json, signal }: CommandInput): Promise<number> => {
  const rows: { snapshot: string; database: string; capturedAt: string; rows: number; problem?: string }[] = [];
  for (const snapshot of await snapshotsInStore(store, signal)) {
    try {
      const { manifest } = await open(store, kit, snapshot, signal);
      const { database, capturedAt, streams } = manifest;
      rows.push({ snapshot, database, capturedAt, rows: streams.reduce((sum, stream) => sum + stream.rows, 0) });
    } catch (error) {
      if (!isFailure(error)) throw error;
      rows.push({ snapshot, database: "?", capturedAt: "", rows: 0, problem: error.message });
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ snapshots: rows })}\n`);
  else if (rows.length === 0) say("the store has no snapshots");
  else
    say(
      table(
        ["snapshot", "database", "as of (UTC)", "rows", ""],
        rows.map((row) => [row.snapshot, row.database, utcSecond(row.capturedAt), row.rows.toLocaleString("en"), row.problem ?? ""]),
      ),
    );
  return rows.length === 0 ? exitCodes.notFound : exitCodes.done;
};
