import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import canonicalize from "canonicalize";
import { keccak256 } from "ethers";
import { bundle } from "./ledger-tampering.ts";

/** The rows of the table in docs/proof.md, in order. */
const told = (): string[] => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/proof.md"), "utf8");
  const section = page.slice(page.indexOf("### With real numbers"), page.indexOf("## Two auditors compare"));
  return [...section.matchAll(/^\|.*\| `([0-9a-f]+)` \|$/gm)].map((match) => match[1]!);
};

/** By the documentation's steps, with no code of the verifier. */
const recomputed = (): string[] => {
  const sha256 = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const hex = (text: string) => Buffer.from(text, "hex");
  const entry = Buffer.from(canonicalize(bundle.entry) ?? "");
  const leaf = sha256(Buffer.of(0), entry);
  const [a, b, c, d, e] = bundle.inclusion.map(hex) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const first = sha256(Buffer.of(1), a, leaf);
  const second = sha256(Buffer.of(1), b, first);
  const third = sha256(Buffer.of(1), second, c);
  const fourth = sha256(Buffer.of(1), third, d);
  const root = sha256(Buffer.of(1), fourth, e);
  const lines = bundle.checkpoint.split("\n");
  const { name, salt } = bundle.database!;
  const hashes = [
    leaf,
    first,
    second,
    third,
    fourth,
    root,
    Buffer.from(lines[2]!, "base64"),
    hex(keccak256(bundle.anchors[0]!.header).slice(2)),
  ];
  const rest = [
    sha256(Buffer.from(lines[0]!)),
    createHmac("sha256", hex(salt)).update(name).digest(),
    sha256(Buffer.from(`${lines.slice(0, 3).join("\n")}\n`)),
  ];
  return [`${entry.length}`, ...[...hashes, ...rest].map((hash) => hash.toString("hex"))];
};

test("the numbers of the worked example in docs/proof.md are those of its bundle", () => {
  assert.deepEqual(told(), recomputed());
  assert.equal(told().length, 12);
  const { entry, anchors } = bundle;
  assert.ok("database" in entry && told().includes(entry.database ?? ""));
  assert.equal(`0x${told()[8]}`, anchors[0]?.blockHash);
});
