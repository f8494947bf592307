import { writeFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { formatProofBundle, formatTlogProofOf } from "../../../core/ledger/proof-bundle.ts";
import type { PeriodStatement } from "../../../core/ledger/verify/period.ts";
import { parseRecipient, type Recipient } from "../../../core/repository/keys.ts";
import { discloseManifest } from "../../../core/site/disclose-manifest.ts";
import { readKeyFile } from "../../../core/site/key-file.ts";
import { provePeriod } from "../../../core/site/prove-period.ts";
import { proveSnapshot } from "../../../core/site/prove-snapshot.ts";
import type { Site } from "../../../core/site/site.ts";
import { trustPolicyOf } from "../../../core/site/trust-policy.ts";
import { findSnapshot, snapshotOrLatest } from "../find-snapshot.ts";
import { knownCheckpoint } from "../known-checkpoint.ts";
import { withCatalog } from "../open-site.ts";
import { periodArgument } from "../period-argument.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bold, good, say, warn } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  if (input.args[0] !== undefined) refusePeriod(input, snapshotOrLatest(input.args[0], input.options.database));
  return await withCatalog(input, async (site) => {
    const out = String(input.options.out);
    const { since, database } = input.options;
    const known = typeof since === "string" ? await knownCheckpoint(since) : undefined;
    if (input.args[0] === undefined) {
      if (typeof database === "string") return await statePeriod(input, site, database, out, known);
      throw new Failure("UsageInvalid", "proof needs a snapshot id, latest with --database, or --database with --from and --to");
    }
    const { snapshot } = await findSnapshot(site, input.args[0], database);
    const proven = await proveSnapshot(site, snapshot, input.signal, known);
    const { openTo } = input.options;
    const manifest = typeof openTo === "string" ? await discloseManifest(site, proven, await recipientOf(openTo), input.signal) : undefined;
    const bundle = manifest === undefined ? proven : { ...proven, manifest };
    const timestamps = bundle.timestamps?.length ?? 0;
    const text = formatProofBundle(bundle);
    await write(out, text);
    const { trust, tlog } = input.options;
    if (typeof trust === "string") await write(trust, `${JSON.stringify(await trustPolicyOf(site, bundle.anchors), undefined, 2)}\n`);
    if (typeof tlog === "string") await write(tlog, formatTlogProofOf(bundle));
    if (input.json) {
      process.stdout.write(
        `${JSON.stringify({ snapshot, bundle: out, bytes: Buffer.byteLength(text), index: bundle.index, anchors: bundle.anchors.length, timestamps })}\n`,
      );
    } else {
      say(`${good("✓")} ${bold(out)}: entry ${bundle.index}, ${Buffer.byteLength(text).toLocaleString("en")} bytes`);
      if (bundle.anchors.length === 0 && timestamps === 0)
        say(warn("  no anchor covers the entry yet: the bundle proves that it is in the log, not since when"));
      if (typeof trust === "string")
        for (const { chainId, block, blockHash } of bundle.anchors)
          say(`  before the auditor trusts ${trust}: is block ${block} of chain ${chainId} really ${blockHash}?`);
      say(`  check it with: dbgov audit ${out} --trust ${typeof trust === "string" ? trust : "TRUST"}`);
    }
    return 0;
  });
};

/** What is said of a period, or of another database, would be passed over. */
const refusePeriod = ({ options }: CommandInput, snapshot: string): void => {
  const passedOver = (["from", "to", ...(snapshot === "latest" ? [] : ["database"])] as const).find((name) => options[name] !== undefined);
  if (passedOver !== undefined)
    throw new Failure("UsageInvalid", `--${passedOver} is for a statement of a period, which names no snapshot: leave one of the two out`);
};

/** The auditor's public key, or the file that has it. */
const recipientOf = async (text: string): Promise<Recipient> =>
  parseRecipient("auditor", text.startsWith("dbgov-recipient-1:") ? text : await readKeyFile(text, process.cwd()));

/** All entries of a database in a period, instead of one entry. */
const statePeriod = async (
  { options, json, signal }: CommandInput,
  site: Site,
  database: string,
  out: string,
  since: Awaited<ReturnType<typeof knownCheckpoint>> | undefined,
): Promise<number> => {
  const pages = await provePeriod(site, database, periodArgument(options.from, options.to), signal, since);
  const files: string[] = [];
  let entries = 0;
  let bytes = 0;
  let first: PeriodStatement | undefined;
  for (let number = 1; number <= pages.count; number++) {
    const statement = await pages.page(number);
    const text = `${JSON.stringify(statement, null, 2)}\n`;
    const file = pageFile(out, number);
    await write(file, text);
    files.push(file);
    entries += statement.entries.length;
    bytes += Buffer.byteLength(text);
    first ??= statement;
  }
  const { from, to, anchors } = first!;
  if (typeof options.trust === "string")
    await write(options.trust, `${JSON.stringify(await trustPolicyOf(site, anchors), undefined, 2)}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ database, bundle: out, pages: files, bytes, from, to, entries })}\n`);
  else {
    say(`${good("✓")} ${bold(out)}: ${entries} entries of ${database} from ${from} to ${to}`);
    if (files.length > 1) say(`  in ${files.length} files; check them together: dbgov audit ${files.join(" ")} --trust TRUST`);
  }
  return 0;
};

/** `november.json`, `november.2.json` and so on. */
const pageFile = (out: string, number: number): string => {
  if (number === 1) return out;
  const { dir, name, ext } = parse(out);
  return join(dir, `${name}.${number}${ext}`);
};

const write = async (path: string, text: string): Promise<void> => {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
