import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import canonicalize from "canonicalize";
import { encodeRlp, getBytes, keccak256 } from "ethers";
import fc from "fast-check";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { commit, sealEntry } from "../../core/ledger/entries.ts";
import { proofInList } from "../../core/ledger/evm/trie.ts";
import { canonicalJson } from "../../core/ledger/verify/canonical.ts";
import { openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { entryBytes, parseEntry } from "../../core/ledger/verify/entry.ts";
import { emptyRoot, utf8 } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey, isSignedBy, parseNote, parseNoteKey } from "../../core/ledger/verify/note.ts";
import { decodeRlp, type Rlp, rlpOfIndex } from "../../core/ledger/verify/rlp.ts";
import { provenValue } from "../../core/ledger/verify/trie.ts";
import { parseTrust } from "../../core/ledger/verify/trust.ts";
import { hashOf, nameSalt, origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";

describe("the verifier's house", () => {
  const folder = join(import.meta.dirname, "../../core/ledger/verify");
  const outside = (file: string, source: string): string[] =>
    [...source.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']([^"']+)["']/g)]
      .map((match) => match[1]!)
      .filter((name) => !(/^\.\/[a-z-]+\.ts$/.test(name) && readdirSync(folder).includes(name.slice(2))))
      .filter((name) => name !== "node:crypto" && name !== "@noble/hashes/sha3.js")
      .map((name) => `${file} imports ${name}`);

  test("imports nothing outside its folder but node:crypto and Keccak", () => {
    const files = readdirSync(folder);
    assert.ok(files.length > 10 && files.every((file) => file.endsWith(".ts")));
    assert.deepEqual(
      files.flatMap((file) => outside(file, readFileSync(join(folder, file), "utf8"))),
      [],
    );
    const bad = ['import { x } from "../log.ts";', 'await import("node:fs");', 'export * from "ethers";', 'import "./missing.ts";'];
    for (const source of bad) assert.equal(outside("x.ts", source).length, 1, source);
    assert.ok(isBuiltin("node:crypto"));
  });
});

describe("signed notes and checkpoints", () => {
  // The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note.
  const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const note =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

  test("the example of the format's reference implementation verifies, and nothing near it", () => {
    const key = parseNoteKey(vkey)!;
    assert.equal(formatNoteKey(key), vkey);
    assert.ok(isSignedBy(parseNote(note)!, key));
    for (const wrong of [
      note.replace("answer", "Answer"),
      note.replace("x08go/ZJ", "x08go/ZK"),
      note.replace("— PeterNeumann", "— Peter"),
    ]) {
      const parsed = parseNote(wrong);
      assert.ok(parsed === undefined || !isSignedBy(parsed, key), wrong);
    }
    for (const wrong of [vkey.replace("c74f", "c74e"), vkey.replace("ARpc", "Apc2"), "x", `${vkey}=`, vkey.replace("Peter", "Pe ter")]) {
      assert.equal(parseNoteKey(wrong), undefined, wrong);
    }
    for (const wrong of ["", "\n\n", "text\n", note.trimEnd(), note.replace("\n\n", "\n"), note.replace("— ", "- "), `\u0007${note}`]) {
      assert.equal(parseNote(wrong), undefined, JSON.stringify(wrong));
    }
  });

  test("signatures of others do not count, and do not disturb", async () => {
    const signer = testSigner();
    const checkpoint = await signCheckpoint(origin, 0, emptyRoot(), signer);
    const key = { name: origin, publicKey: signer.publicKey };
    const witnessed = `${checkpoint.note}— witness.example ${Buffer.alloc(68, 7).toString("base64")}\n`;
    assert.ok(!("reason" in openCheckpoint(witnessed, origin, key)));
    for (const [name, wrong] of Object.entries({
      "other key": (await signCheckpoint(origin, 0, emptyRoot(), testSigner(9))).note,
      "other origin": (await signCheckpoint("other.example", 0, emptyRoot(), signer)).note,
      "leading zero": checkpoint.note.replace("\n0\n", "\n00\n"),
      extension: checkpoint.note.replace("\n\n", "\nmore\n\n"),
    })) {
      assert.ok("reason" in openCheckpoint(wrong, origin, key), name);
    }
  });
});

describe("entries", () => {
  test("canonical JSON is that of the writer's library", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(canonicalJson(value), canonicalize(value))));
    assert.equal(
      canonicalJson({ b: 1e21, a: [1.5, -0, "\u20ac\n"], "\ud83d\ude00": null, "\ufb33": true }),
      '{"a":[1.5,0,"€\\n"],"b":1e+21,"😀":null,"\ufb33":true}',
    );
  });

  test("an entry survives its bytes; bytes that differ in anything are refused", () => {
    const bytes = sealEntry(sealedDraft(1), 1);
    const entry = parseEntry(bytes);
    assert.ok("kind" in entry);
    assert.deepEqual(entryBytes(entry), bytes);
    const text = Buffer.from(bytes).toString("utf8");
    for (const wrong of [
      text.replace("{", "{ "),
      `${text}\n`,
      text.replace('"version":1', '"version":1,"version":1'),
      text.replace('"version":1', '"version":2'),
      text.replace('"sequence":1', '"sequence":0'),
      text.replace('"rows":200001', '"rows":2e5'),
      text.replace('"engine":"postgres",', ""),
      text.replace("snapshot-sealed", "drilled"),
      text.replace("02:15:00.000Z", "02:75:00.000Z"),
      text.replace("{", '{"__proto__":1,'),
      "null",
      "[]",
      "",
      "{",
    ]) {
      assert.notEqual(wrong, text);
      assert.ok("reason" in parseEntry(utf8(wrong)), wrong);
    }
  });

  test("a commitment hides the name and binds it", () => {
    assert.equal(commit("orders", nameSalt), commit("orders", nameSalt));
    assert.notEqual(commit("orders", nameSalt), commit("users", nameSalt));
    assert.notEqual(commit("orders", nameSalt), commit("orders", "5b".repeat(32)));
    assert.ok(!Buffer.from(sealEntry(sealedDraft(1), 1)).includes("orders"));
  });
});

describe("Ethereum's encodings", () => {
  const structure = fc.letrec<{ item: unknown }>((tie) => ({
    item: fc.oneof({ maxDepth: 4 }, fc.uint8Array({ maxLength: 80 }), fc.array(tie("item"), { maxLength: 6 })),
  })).item;
  const toHexTree = (item: unknown): never =>
    (item instanceof Uint8Array ? `0x${Buffer.from(item).toString("hex")}` : (item as unknown[]).map(toHexTree)) as never;
  const same = (decoded: Rlp | undefined): unknown =>
    decoded instanceof Uint8Array ? `0x${Buffer.from(decoded).toString("hex")}` : decoded?.map(same);

  test("RLP decodes what ethers encodes, and refuses every other encoding", () => {
    fc.assert(
      fc.property(structure, fc.nat(), (item, seed) => {
        const encoded = getBytes(encodeRlp(toHexTree(item)));
        assert.deepEqual(same(decodeRlp(encoded)), toHexTree(item));
        assert.equal(decodeRlp(encoded.subarray(0, encoded.length - 1)), undefined);
        assert.equal(decodeRlp(Uint8Array.of(...encoded, 0)), undefined);
        const changed = encoded.slice();
        changed[seed % changed.length]! ^= 1 + (seed % 255);
        const decoded = decodeRlp(changed);
        // What still decodes is another value, in that value's only encoding.
        if (decoded !== undefined) assert.deepEqual(getBytes(encodeRlp(same(decoded) as never)), changed);
      }),
    );
    for (const wrong of ["8100", "817f", "b800", "b90001", "f800", "c1", "bf00000000000000", "ffffffffffffffffff", ""]) {
      assert.equal(decodeRlp(Buffer.from(wrong, "hex")), undefined, wrong);
    }
    assert.equal(decodeRlp(Buffer.from(`${"c1".repeat(20_000)}c0`, "hex")), undefined);
  });

  test("a proof out of a list of any length gives its value, and no damage gives another", () => {
    for (const length of [1, 2, 3, 16, 17, 127, 128, 129, 200, 300]) {
      const values = Array.from({ length }, (_, at) => encodeRlp([`0x${hashOf(`v${at}`)}`, `0x${"aa".repeat(at % 40)}`]));
      for (const index of new Set([0, 1, length >> 1, length - 1].filter((at) => at < length))) {
        const { root, nodes } = proofInList(values, index);
        const proof = nodes.map((node) => getBytes(node));
        const prove = (key: number, of = proof) => provenValue(getBytes(root), rlpOfIndex(key), of);
        assert.deepEqual(prove(index), getBytes(values[index]!), `${index} of ${length}`);
        for (const other of [index + 1, index + 128, 70_000]) assert.equal(prove(other), undefined);
        for (const wrong of [proof.slice(1), proof.slice(0, -1), [...proof, proof[0]!], []]) assert.equal(prove(index, wrong), undefined);
        const flipped = proof.map((node, at) =>
          at === proof.length - 1 ? node.map((byte, where) => (where === 9 ? byte ^ 1 : byte)) : node,
        );
        assert.equal(prove(index, flipped), undefined);
        assert.equal(root, keccak256(nodes[0]!));
      }
    }
    // Values so short that leaves lie inside their parents.
    const short = Array.from({ length: 20 }, (_, at) => `0x${(at + 1).toString(16).padStart(2, "0")}`);
    const { root, nodes } = proofInList(short, 7);
    assert.deepEqual(
      provenValue(
        getBytes(root),
        rlpOfIndex(7),
        nodes.map((node) => getBytes(node)),
      ),
      Uint8Array.of(8),
    );
  });
});

describe("trust policies", () => {
  test("the example in docs/proof.md is one, and what is wrong with others is named", () => {
    const document = readFileSync(join(import.meta.dirname, "../../docs/proof.md"), "utf8");
    const example = /```json trust\n([\s\S]*?)```/.exec(document)![1]!;
    const trust = parseTrust(example);
    assert.equal(trust.log.origin, "acme.example/dbgov");
    const wrong = (change: (policy: Record<string, unknown>) => void, words: RegExp) => {
      const policy = JSON.parse(example) as Record<string, unknown>;
      change(policy);
      assert.throws(() => parseTrust(JSON.stringify(policy)), { name: "AuditInputError", message: words });
    };
    wrong((policy) => delete policy.log, /log is missing/);
    wrong((policy) => Object.assign(policy, { extra: 1 }), /extra is not a known field/);
    wrong((policy) => Object.assign(policy.log as object, { publicKey: "x" }), /log\.publicKey must be an Ed25519 key/);
    wrong((policy) => Object.assign(policy.log as object, { origin: "other" }), /another name than log\.origin/);
    wrong((policy) => Object.assign(policy, { chains: [{ chainId: 1, contract: "0x1" }] }), /chains\[0\]\.contract/);
    wrong((policy) => Object.assign(policy, { require: { anchor: "yes" } }), /require\.anchor/);
    assert.throws(() => parseTrust("{"), /the trust policy is not JSON/);
  });
});
