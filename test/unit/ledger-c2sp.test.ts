import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { openLog } from "../../core/ledger/log.ts";
import {
  cosignaturesOf,
  cosignedMessage,
  formatCosignature,
  formatWitnessKey,
  parseWitnessKey,
} from "../../core/ledger/verify/cosignature.ts";
import { entryBytes } from "../../core/ledger/verify/entry.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey, parseNote } from "../../core/ledger/verify/note.ts";
import { formatTlogProof, openTlogProof, parseTlogProof } from "../../core/ledger/verify/tlog-proof.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { findProgram } from "../stack/programs.ts";
import { drafts, origin, testSigner } from "./ledger-fixtures.ts";

const signer = testSigner();
const key = { name: origin, publicKey: signer.publicKey };
const witnessSigner = testSigner(9);
const witnessKey = { name: "witness.example/w1", publicKey: witnessSigner.publicKey };

const cosign = (note: string, time = 1_795_000_000): string =>
  note + formatCosignature(witnessKey, time, witnessSigner.sign(cosignedMessage(parseNote(note)!.text, time)));

describe("formats of the C2SP, as their authors' documents have them", () => {
  test("the checkpoint with a cosignature of tlog-cosignature.md is read: 72 bytes with the time of March 2023", () => {
    const note =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
      "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
      "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    const [log, witness] = parseNote(note)!.signatures;
    assert.equal(log?.bytes.length, 4 + 64);
    assert.equal(witness?.bytes.length, 4 + 8 + 64);
    assert.equal(Buffer.from(witness!.bytes).readBigUInt64BE(4), 1679315147n);
  });

  test("a cosignature counts once, for its own key, text and time, and an altered one not at all", () => {
    assert.deepEqual(parseWitnessKey(formatWitnessKey(witnessKey)), witnessKey);
    assert.equal(parseWitnessKey(formatNoteKey(witnessKey)), undefined, "a log's key is no witness's key");
    const note = `${origin}\n7\n${Buffer.alloc(32, 3).toString("base64")}\n\n\u2014 log.example AAAAAAA=\n`;
    const cosigned = cosign(cosign(note), 1_795_000_060);
    const found = (text: string, name = witnessKey.name) => cosignaturesOf(text, [{ ...witnessKey, name }]);
    assert.deepEqual(found(cosigned), [{ witness: witnessKey.name, time: 1_795_000_060 }]);
    assert.deepEqual(found(note), []);
    assert.deepEqual(found(cosigned.replace(`${origin}\n7\n`, `${origin}\n8\n`)), []);
    assert.deepEqual(found(cosigned, "witness.example/w2"), [], "the name is in the key's id");
    assert.deepEqual(cosignaturesOf(cosigned, [{ ...witnessKey, publicKey: signer.publicKey }]), []);
    assert.deepEqual(cosignaturesOf("no note", [witnessKey]), []);
    const line = cosign(note).slice(note.length).split(" ")[2]!.trim();
    for (const at of [4, 11, 12, 75]) {
      const bytes = Buffer.from(line, "base64");
      bytes[at]! ^= 1;
      assert.deepEqual(found(`${note}\u2014 ${witnessKey.name} ${bytes.toString("base64")}\n`), [], `byte ${at}`);
    }
  });

  test("a tlog-proof is read with and without extra data, and malformed ones are not", () => {
    const hash = Buffer.alloc(32, 7).toString("base64");
    const good = `c2sp.org/tlog-proof@v1\nindex 73894\n${hash}\n${hash}\n\nnote`;
    assert.equal(parseTlogProof(good)?.index, 73894);
    assert.equal(parseTlogProof(good)?.inclusion.length, 2);
    assert.equal(parseTlogProof(good)?.checkpoint, "note");
    assert.equal(parseTlogProof(good.replace("index", "extra YWdl\nindex"))?.index, 73894);
    assert.equal(formatTlogProof(parseTlogProof(good)!), good);
    for (const [from, to] of [
      ["@v1", "@v2"],
      ["index 73894", "index 073894"],
      ["index 73894", "index -1"],
      ["index 73894\n", ""],
      [hash, hash.slice(4)],
      [hash, hash.replace("=", "")],
      ["index", "extra !\nindex"],
      ["\n\n", "\n"],
    ] as const) {
      assert.equal(parseTlogProof(good.replace(from, to)), undefined, `${from} → ${to}`);
    }
    assert.equal(parseTlogProof(good.replace("\n\n", `\n${`${hash}\n`.repeat(64)}\n`)), undefined);
  });
});

describe("a log of ours, read by other people's code in Go", () => {
  let folder: string;
  let program: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-c2sp-"));
    program = await findProgram("tlog", () => {});
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const go = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(program, [...args]);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  test("checkpoint, cosignature, tiles, entries and proofs, at sizes around a tile's end and above", async () => {
    let sized = 0;
    for (const size of [1, 255, 256, 257, 700, 65_536 + 300]) {
      const path = join(folder, `log-${size}`);
      const store = openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path });
      const log = await openLog({ store, origin, signer });
      // In two appends, so that partial tiles are replaced on the way.
      await log.append(drafts(0, Math.ceil(size / 3)));
      await log.append(drafts(Math.ceil(size / 3), size), {
        size: Math.ceil(size / 3),
        find: async () => undefined,
        lastSequence: async () => 1,
      });
      const { root, note } = log.checkpoint();
      await store.put("log/checkpoint", new TextEncoder().encode(cosign(note)), AbortSignal.timeout(5_000));
      const found = await go("read", join(path, "log"), formatNoteKey(key), formatWitnessKey(witnessKey));
      assert.deepEqual([found.origin, found.size, found.root], [origin, size, toHex(root)]);
      assert.deepEqual(found.cosigned, [1_795_000_000]);
      assert.ok((found.proofs as number) >= 1 + Math.floor((size - 1) / 97));
      sized += 1;

      const index = Math.floor(size / 2);
      const { entry } = await log.entry(index);
      const proof = { index, inclusion: await log.inclusionProof(index, size), checkpoint: note };
      const file = join(folder, `${size}.tlog-proof`);
      await writeFile(file, formatTlogProof(proof));
      await writeFile(join(folder, "entry"), entryBytes(entry));
      assert.deepEqual(await go("proof", file, join(folder, "entry"), formatNoteKey(key)), { index, size });
      const opened = openTlogProof(formatTlogProof(proof), entryBytes(entry), origin, key);
      assert.ok(!("reason" in opened) && opened.index === index && opened.size === size);
      const other = openTlogProof(formatTlogProof({ ...proof, index: index + 1 }), entryBytes(entry), origin, key);
      assert.ok("reason" in other);
      if (size === 700) {
        await writeFile(file, formatTlogProof({ ...proof, index: index ^ 1 }));
        await assert.rejects(go("proof", file, join(folder, "entry"), formatNoteKey(key)), /invalid|mismatch|proof/);
        await assert.rejects(go("read", join(path, "log"), formatNoteKey({ ...key, publicKey: witnessSigner.publicKey })), /signature/);
      }
    }
    assert.equal(sized, 6);
  });
});
