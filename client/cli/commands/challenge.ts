import { writeFile } from "node:fs/promises";
import { Failure } from "../../../core/domain/failure.ts";
import { packBlockBytes } from "../../../core/repository/pack-layout.ts";
import { type Challenge, challengeStore } from "../../../core/site/challenge-store.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { bad, bold, good, plural, say, warn } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const { options, json, signal } = input;
    const snapshot = snapshotArgument(input.args[0]);
    const store = options.store;
    if (typeof store !== "string") throw new Failure("UsageInvalid", "challenge needs --store, the store that is to show the blocks");
    const blocks = Number(options.blocks);
    if (!Number.isSafeInteger(blocks) || blocks < 1 || blocks > 10_000)
      throw new Failure("UsageInvalid", `--blocks must be a number from 1 to 10,000 (is "${String(options.blocks)}")`);
    const onHealed = (keys: readonly string[]): void =>
      void process.stderr.write(`the log was damaged in its store, and is put right: ${keys.length} objects\n`);
    const challenge = await challengeStore(site, { snapshot, store, blocks }, signal, onHealed);
    const problems = challenge.blocks.flatMap(({ pack, block, problem }) => (problem === undefined ? [] : [{ pack, block, problem }]));
    if (typeof options.out === "string") await write(options.out, challenge);
    const { chosenBy, index } = challenge;
    const asked = challenge.blocks.length;
    const proven = asked - problems.length;
    if (json) process.stdout.write(`${JSON.stringify({ snapshot, store, blocks: asked, proven, chosenBy, logIndex: index, problems })}\n`);
    else {
      const verdict = problems.length === 0 ? good("✓") : bad("✗");
      say(`${verdict} ${proven} of ${plural(asked, "block")} that ${bold(store)} was asked for are proven; log entry ${index}`);
      say(`  chosen by block ${chosenBy.blockHash} of chain ${chosenBy.chainId} and the checkpoint of size ${chosenBy.size}`);
      for (const { problem } of problems) say(`  ${bad("✗")} ${problem}`);
      if (problems.length > 0)
        say(warn(`  the copy no longer counts; dbgov verify ${snapshot} looks for more, and replaces what it finds`));
    }
    return problems.length === 0 ? exitCodes.done : exitCodes.verification;
  });

/** All that somebody else needs to repeat the choice and the proofs, as docs/proof.md describes it. */
const write = async (path: string, { index: _, blocks, ...challenge }: Challenge): Promise<void> => {
  const evidence = {
    format: "dbgov-challenge",
    version: 1,
    ...challenge,
    blockBytes: packBlockBytes,
    blocks: blocks.map(({ pack, block, content, proof }) => ({
      ...{ pack, block, proof },
      content: content === undefined ? null : Buffer.from(content).toString("base64"),
    })),
  };
  try {
    await writeFile(path, `${JSON.stringify(evidence)}\n`);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
