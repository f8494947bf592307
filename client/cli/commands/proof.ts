import { writeFile } from "node:fs/promises";
import { Failure } from "../../../core/domain/failure.ts";
import { formatProofBundle, formatTlogProofOf } from "../../../core/ledger/proof-bundle.ts";
import { proveSnapshot } from "../../../core/site/prove-snapshot.ts";
import { trustPolicyOf } from "../../../core/site/trust-policy.ts";
import { knownCheckpoint } from "../known-checkpoint.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { bold, good, say, warn } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const snapshot = snapshotArgument(input.args[0]);
    const out = String(input.options.out);
    const { since } = input.options;
    const known = typeof since === "string" ? await knownCheckpoint(since) : undefined;
    const bundle = await proveSnapshot(site, snapshot, input.signal, known);
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

const write = async (path: string, text: string): Promise<void> => {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
