import { readFile } from "node:fs/promises";
import { Failure } from "../domain/failure.ts";
import type { EvmEvidence } from "../ledger/verify/evm-evidence.ts";
import { formatNoteKey } from "../ledger/verify/note.ts";
import type { Trust } from "../ledger/verify/trust.ts";
import type { Site } from "./site.ts";

/**
 * The trust policy that an auditor should be given by another way than the bundles. It lists the blocks of `anchors` as
 * final; the auditor compares their hashes with a node or an explorer of their own choice, or lets `audit --rpc` do it.
 */
export const trustPolicyOf = async (site: Site, anchors: readonly EvmEvidence[] = []): Promise<Trust> => {
  const { config } = site.loaded;
  const { publicKey } = await site.logSigner();
  const retired = config.keys.retired.filter(({ purpose }) => purpose === "log");
  const vkeyOf = (key: Uint8Array): string => formatNoteKey({ name: config.log.origin, publicKey: new Uint8Array(key) });
  const { witnesses, witnessQuorum } = config.log;
  const authorities = await Promise.all(config.timestampAuthorities.map(({ roots }) => readRoots(roots)));
  return {
    log: {
      origin: config.log.origin,
      publicKey: vkeyOf(publicKey),
      ...(retired.length === 0
        ? {}
        : { retiredKeys: retired.map((key) => ({ publicKey: vkeyOf(Buffer.from(key.publicKey, "hex")), until: key.until })) }),
    },
    signingKeys: (await site.signingKeys()).map(({ publicKey: key, until }) => {
      const text = Buffer.from(key).toString("hex");
      return until === undefined ? text : { publicKey: text, until };
    }),
    chains: config.anchors.map((anchor) => ({
      chainId: anchor.chainId,
      contract: anchor.contract.toLowerCase(),
      finalizedBlocks: anchors
        .filter(({ chainId }) => chainId === anchor.chainId)
        .map(({ block, blockHash }) => ({ number: block, hash: blockHash })),
    })),
    ...(witnessQuorum === 0 ? {} : { witnesses: { publicKeys: witnesses.map(({ publicKey }) => publicKey), quorum: witnessQuorum } }),
    ...(authorities.length === 0 ? {} : { authorities }),
    // Chain and authority have schedules of their own, and one checkpoint is not always on both: either is evidence from outside.
    require: { anchor: config.anchors.length > 0, timestamp: config.anchors.length === 0 && authorities.length > 0 },
  };
};

/** PEM. */
export const readRoots = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Failure("ConfigurationInvalid", `the root certificates in ${path} cannot be read`, { cause });
  }
};
