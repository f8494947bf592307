import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProofBundle, Trust } from "../../core/ledger/verify/audit.ts";
import { formatWitnessKey } from "../../core/ledger/verify/cosignature.ts";
import type { EvmEvidence } from "../../core/ledger/verify/evm-evidence.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { origin, testSigner } from "./ledger-fixtures.ts";

/** The documented example, and everything that an attacker could make of it: made by walking the bundle, not by hand. */

const read = <T>(path: string): T => JSON.parse(readFileSync(join(import.meta.dirname, "../..", path), "utf8")) as T;

export const bundle = read<ProofBundle>("docs/proof-example/bundle.json");
export const trust = read<Trust>("docs/proof-example/trust.json");
export const vectors = read<{
  other: ProofBundle;
  older: ProofBundle;
  rewritten: ProofBundle;
  otherContract: EvmEvidence;
  otherChain: EvmEvidence;
  strangerToken: string;
  otherKeyCheckpoint: string;
  otherOriginCheckpoint: string;
  after20: NonNullable<Trust["since"]>;
}>("test/sample/proof-vectors.json");

export interface Tampered {
  readonly kind: "altered" | "dropped" | "added" | "swapped" | "reordered" | "replayed" | "other key" | "other chain" | "other trust";
  readonly what: string;
  readonly bundle: unknown;
  readonly trust: Trust;
  /** Which parts may be named as what is wrong. */
  readonly parts: RegExp;
}

type Path = readonly (string | number)[];

const placesOf = (value: unknown, path: Path = []): Path[] => [
  ...(path.length === 0 ? [] : [path]),
  ...(typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...path, Array.isArray(value) ? Number(name) : name]))
    : []),
];

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], value);

const changed = (path: Path, change: (parent: Record<string | number, unknown>, last: string | number) => void): unknown => {
  const copy = structuredClone(bundle);
  change(at(copy, path.slice(0, -1)) as Record<string | number, unknown>, path.at(-1)!);
  return copy;
};
const replaced = (path: Path, value: unknown): unknown =>
  changed(path, (parent, last) => {
    parent[last] = value;
  });

/** Any text is flipped at its ends and in its middle, a long one all over. */
const flipsOf = (text: string): string[] => {
  const places = Math.min(text.length, text.length > 100 ? 60 : 5);
  return Array.from({ length: places }, (_, at) => {
    const where = Math.round((at * (text.length - 1)) / Math.max(1, places - 1));
    return text.slice(0, where) + (text[where] === "1" ? "2" : "1") + text.slice(where + 1);
  });
};

const alterationsOf = (value: unknown): unknown[] => {
  if (typeof value === "number") return [value + 1, value - 1, -value - 1, value + 0.5, `${value}`, null, 2 ** 53];
  if (typeof value !== "string") return [null, 0, "", Array.isArray(value) ? {} : []];
  const cased = value.toUpperCase() === value ? value.toLowerCase() : value.toUpperCase();
  return [...flipsOf(value), value.slice(0, -1), `${value}0`, ` ${value}`, "", null, 0, [value], ...(cased === value ? [] : [cased])];
};

const partsFor = (path: Path): RegExp => {
  const [top] = path;
  if (top === "entry") return /^(entry|inclusion|database)/;
  if (top === "index") return /^(index|inclusion)/;
  // Another checkpoint of the log is genuine in itself: what it does not fit to tells.
  if (top === "checkpoint") return /^(checkpoint|inclusion|consistency|anchors|timestamps)/;
  return new RegExp(`^${top}`);
};

const walked = (): Tampered[] =>
  placesOf(bundle).flatMap((path) => {
    const parts = partsFor(path);
    const name = path.join(".");
    const here = at(bundle, path);
    const made = (kind: Tampered["kind"], what: string, value: unknown): Tampered => ({ kind, what, bundle: value, trust, parts });
    const all = alterationsOf(here).map((value) =>
      made("altered", `${name} to ${JSON.stringify(value)?.slice(0, 80)}`, replaced(path, value)),
    );
    // Not to disclose the database's name is allowed: what is left proves what it says.
    if (name !== "database") {
      const dropped = changed(path, (parent, last) => {
        if (Array.isArray(parent)) parent.splice(Number(last), 1);
        else delete parent[last];
      });
      all.push(made("dropped", name, dropped));
    }
    for (const [whose, theirs] of Object.entries({ other: vectors.other, older: vectors.older, rewritten: vectors.rewritten })) {
      const value = at(theirs, path);
      // Every hash that another part of the bundle needs is that part's own; what is the same there was not swapped.
      if (value !== undefined && JSON.stringify(value) !== JSON.stringify(here))
        all.push(made("swapped", `${name} with that of ${whose}`, replaced(path, value)));
    }
    if (Array.isArray(here)) {
      all.push(made("added", `${name} with one more`, replaced(path, [...here, here[0]])));
      if (here.length > 1) all.push(made("reordered", `${name} reversed`, replaced(path, here.toReversed())));
      for (let first = 0; first + 1 < here.length; first++) {
        const list = here.slice();
        [list[first], list[first + 1]] = [list[first + 1], list[first]];
        all.push(made("reordered", `${name} ${first} and ${first + 1}`, replaced(path, list)));
      }
    } else if (typeof here === "object") {
      all.push(made("added", `${name} with a field more`, replaced([...path, "extra"], 1)));
    }
    return all;
  });

/** The lines of the two notes: each altered, dropped and doubled, and those of other notes in their places. */
const notes = (): Tampered[] =>
  ([["checkpoint"], ["consistency", "checkpoint"]] as const).flatMap((path) => {
    const lines = (at(bundle, path) as string).split("\n");
    const made = (kind: Tampered["kind"], what: string, changedLines: readonly string[]): Tampered => ({
      kind,
      what: `${path.join(".")} ${what}`,
      bundle: replaced(path, changedLines.join("\n")),
      trust,
      parts: partsFor(path),
    });
    return lines.flatMap((line, index) => [
      made("dropped", `line ${index}`, lines.toSpliced(index, 1)),
      ...flipsOf(line).map((text) => made("altered", `line ${index} to ${text}`, lines.with(index, text))),
      ...(index === 0 || index >= 4
        ? []
        : [made("reordered", `line ${index} before`, lines.with(index, lines[index - 1]!).with(index - 1, line))]),
      ...(line === "" ? [] : [made("added", `line ${index} twice`, lines.toSpliced(index, 0, line))]),
    ]);
  });

const attacks = (): Tampered[] => {
  const { other, older, rewritten, otherContract, otherChain, strangerToken, otherKeyCheckpoint, otherOriginCheckpoint, after20 } = vectors;
  const cosignatures = bundle.checkpoint.split("\n").slice(5).join("\n");
  const token = (base64: string) => ({ kind: "rfc3161" as const, token: base64 });
  const attack = (kind: Tampered["kind"], what: string, value: object, parts: RegExp, policy: Trust = trust): Tampered => ({
    kind,
    what,
    bundle: { ...bundle, ...value },
    trust: policy,
    parts,
  });
  const log = (seed: number) => ({ ...trust.log, publicKey: formatNoteKey({ name: origin, publicKey: testSigner(seed).publicKey }) });
  const wrongBesideRetired = otherKeyCheckpoint + bundle.checkpoint.split("\n").slice(4).join("\n").replace("x6F/", "x6E/");
  const witness = (name: string, seed: number) => formatWitnessKey({ name, publicKey: testSigner(seed).publicKey });
  const [chain] = trust.chains as [NonNullable<Trust["chains"]>[number]];
  const believing = (changes: object): Trust => ({ ...trust, chains: [{ ...chain, ...changes }] });
  const [anchor] = bundle.anchors as [EvmEvidence];
  const { consistency: _, ...olderPlain } = { consistency: undefined, ...older };
  return [
    attack(
      "replayed",
      "the bundle of an older checkpoint, to who has seen a newer",
      { ...olderPlain, consistency: undefined },
      /^consistency/,
      { ...trust, since: after20 },
    ),
    attack(
      "replayed",
      "an older bundle's checkpoint with its anchors",
      { checkpoint: older.checkpoint, anchors: older.anchors, timestamps: older.timestamps },
      /^inclusion/,
    ),
    attack("replayed", "the anchor of an older checkpoint", { anchors: older.anchors }, /^anchors\[0\]/),
    attack("replayed", "the time stamp of an older checkpoint", { timestamps: older.timestamps }, /^timestamps\[0\]/),
    attack(
      "replayed",
      "the cosignatures of an older checkpoint",
      { checkpoint: [...bundle.checkpoint.split("\n").slice(0, 5), ...older.checkpoint.split("\n").slice(5)].join("\n") },
      /^checkpoint/,
    ),
    attack("replayed", "a log that was rewritten, signed and cosigned again", rewritten, /^(consistency|anchors|timestamps)/),
    attack("replayed", "the anchor twice", { anchors: [anchor, anchor] }, /^anchors\[1\]/),
    attack("replayed", "the time stamp twice", { timestamps: [...bundle.timestamps!, ...bundle.timestamps!] }, /^timestamps\[1\]/),
    attack("other key", "a checkpoint signed with an unknown key", { checkpoint: otherKeyCheckpoint + cosignatures }, /^checkpoint/),
    attack(
      "other key",
      "a checkpoint of another log, with the right key",
      { checkpoint: otherOriginCheckpoint + cosignatures },
      /^checkpoint/,
    ),
    attack(
      "other key",
      "a checkpoint signed with a retired key after it was",
      { checkpoint: otherKeyCheckpoint + cosignatures },
      /^checkpoint/,
      retired("2026-11-24T10:56:39.999Z"),
    ),
    attack(
      "other key",
      "a checkpoint signed with a retired key, and nothing to show when",
      { checkpoint: otherKeyCheckpoint + cosignatures, anchors: [], timestamps: [] },
      /^checkpoint/,
      {
        ...retired("2030-01-01T00:00:00.000Z"),
        require: { anchor: false },
      },
    ),
    attack(
      "other key",
      "a wrong signature of the present key beside one of a retired key",
      { checkpoint: wrongBesideRetired },
      /^checkpoint/,
      retired("2030-01-01T00:00:00.000Z"),
    ),
    attack("other key", "a policy with the log's old key", {}, /^checkpoint/, { ...trust, log: log(2) }),
    attack("other key", "witnesses that are not the policy's", {}, /^checkpoint/, {
      ...trust,
      witnesses: { publicKeys: [witness("witness.example/w1", 33), witness("witness.example/w2", 34)], quorum: 1 },
    }),
    attack("other key", "one witness too few", {}, /^checkpoint/, {
      ...trust,
      witnesses: { publicKeys: [...trust.witnesses!.publicKeys, witness("witness.example/w3", 33)], quorum: 3 },
    }),
    attack("other key", "a manifest signed with an unknown key", {}, /^entry\.signer/, { ...trust, signingKeys: ["00".repeat(32)] }),
    attack("other key", "a time stamp of a stranger", { timestamps: [token(strangerToken)] }, /^timestamps/),
    attack("other key", "a policy without authorities", {}, /^timestamps/, { ...trust, authorities: [] }),
    attack("other chain", "the same registry on another chain", { anchors: [otherChain] }, /^anchors/),
    attack(
      "other chain",
      "that, claimed to be of the right chain",
      { anchors: [{ ...otherChain, chainId: chain.chainId }] },
      /^anchors\[0\]\.chainId/,
    ),
    attack("other chain", "another contract on the right chain", { anchors: [otherContract] }, /^anchors/),
    attack(
      "other chain",
      "that, claimed to be of the right contract",
      { anchors: [{ ...otherContract, contract: chain.contract }] },
      /^anchors\[0\]\.contract/,
    ),
    attack("other chain", "a policy of another chain", {}, /^anchors/, believing({ chainId: 1 })),
    attack("other chain", "a policy of another contract", {}, /^anchors/, believing({ contract: otherContract.contract })),
    attack(
      "other chain",
      "a block that a reorganization has replaced",
      {},
      /^anchors/,
      believing({ finalizedBlocks: [{ number: anchor.block, hash: `0x${"00".repeat(32)}` }] }),
    ),
    attack("other chain", "a block that nobody called final", {}, /^anchors/, believing({ finalizedBlocks: [] })),
    attack("other trust", "an auditor who remembers another root", {}, /^consistency/, {
      ...trust,
      since: { size: 9, root: after20.root },
    }),
    attack("other trust", "an auditor who remembers another size", {}, /^consistency/, {
      ...trust,
      since: { size: 10, root: trust.since!.root },
    }),
    attack("other trust", "an anchor later than wanted", {}, /^anchors/, { ...trust, require: { anchorBy: "2026-01-01T00:00:00.000Z" } }),
    attack("other trust", "an anchor too long after the entry", {}, /^anchors/, { ...trust, require: { anchorWithinSeconds: 1 } }),
    attack("swapped", "the whole of another bundle but the entry", { ...other, entry: bundle.entry }, /^(inclusion|database)/),
    attack("swapped", "the entry of another bundle with its index", { entry: other.entry, index: other.index }, /^inclusion/),
  ];
};

/** A policy whose log had the vectors' other key until then. */
export const retired = (until: string): Trust => ({
  ...trust,
  log: { ...trust.log, retiredKeys: [{ publicKey: formatNoteKey({ name: origin, publicKey: testSigner(2).publicKey }), until }] },
});

/** With what is the same twice left out. */
export const allTampered = (): Tampered[] => {
  const seen = new Set([JSON.stringify([bundle, trust])]);
  return [...walked(), ...notes(), ...attacks()].filter((one) => {
    const text = JSON.stringify([one.bundle, one.trust]);
    return !seen.has(text) && seen.add(text);
  });
};
