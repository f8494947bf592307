import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import { Failure, type FailureType, isFailure } from "../../core/domain/failure.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { unwrapKey } from "../../core/repository/envelopes.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import {
  type Manifest,
  openManifest,
  openManifestIndex,
  readManifestHeader,
  sealManifest,
  verifyManifest,
} from "../../core/repository/manifest.ts";
import { openPackDirectory, verifyPack } from "../../core/repository/packs.ts";
import { openRange, openRangeIndex, type SealedRange, sealRange, verifyRange } from "../../core/repository/ranges.ts";
import { type ReadPack, readRange } from "../../core/repository/read-range.ts";
import { defaultRepositoryConfig, encodeRepositoryConfig, parseRepositoryConfig } from "../../core/repository/repository-config.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { collect, memoryRepository, newRecipient, tableText } from "./repository-fixture.ts";

const snapshot = "20261124T021500Z-5f3a9c01d2e4";
const repository = memoryRepository();
const { keys } = repository;
const signer = signerFromSeed("11".repeat(32));
const content = tableText(1500);
let anna: Awaited<ReturnType<typeof newRecipient>>;
let range: SealedRange;
let rangeKey: Uint8Array;
let manifest: { bytes: Uint8Array; hash: string };
let manifestKey: Uint8Array;
let pack: { id: string; bytes: Uint8Array };

before(async () => {
  anna = await newRecipient("anna");
  const { draft } = await repository.capture("lines", [content], 10_000_000);
  range = await sealRange(draft, { recipients: [anna.recipient], keys });
  rangeKey = await unwrapKey(range.envelopes, anna.secret);
  const [[id, bytes]] = [...repository.packs] as [[string, Uint8Array]];
  pack = { id, bytes };
  const { digest } = draft;
  const described: Manifest = {
    version: 1,
    snapshot,
    database: "shop",
    engine: "postgres",
    startedAt: "2026-11-24T02:15:00.000Z",
    capturedAt: "2026-11-24T02:15:01.000Z",
    consistency: "transactional",
    serverVersion: "18.1",
    databaseName: "shop",
    notes: ["über Ärger"],
    digestKey: Buffer.from(digestKeyOf(keys.dedupSecret)).toString("base64"),
    streams: [
      { name: "public.t", kind: "rows", framing: "lines", target: { table: "t" }, ...digest, ranges: [{ id: range.id, ...digest }] },
    ],
  };
  const sealed = await sealManifest(described, { recipients: [anna.recipient], keys, signer, packs: range.packs });
  manifest = sealed;
  manifestKey = await unwrapKey(sealed.envelopes, anna.secret);
  assert.deepEqual(openManifest(manifest.bytes, manifestKey), described);
});

/** Reads the content back, given what the stores return for the manifest, the range and the pack. */
const restore = async (stored: { manifest?: Uint8Array; range?: Uint8Array; pack?: Uint8Array; missing?: boolean }): Promise<Buffer> => {
  const manifestBytes = stored.manifest ?? manifest.bytes;
  verifyManifest(manifestBytes, [signer.publicKey]);
  const opened = openManifest(manifestBytes, manifestKey);
  const rangeBytes = stored.range ?? range.bytes;
  verifyRange(rangeBytes, opened.streams[0]!.ranges[0]!.id);
  const read: ReadPack = async (id, { offset, length }) => {
    if (stored.missing) throw new Failure("ObjectMissing", `there is no pack ${id}`);
    return (stored.pack ?? pack.bytes).subarray(offset, offset + length);
  };
  return collect(readRange(openRange(rangeBytes, rangeKey), read, { readBytes: 20_000 }));
};

const flip = (bytes: Uint8Array, at: number, bit: number): Uint8Array => {
  const altered = bytes.slice();
  altered[at % altered.length]! ^= 1 << bit;
  return altered;
};

/** A defect of the code shows as another exception, wrong content as no exception at all. */
const failsAs = (types: readonly FailureType[], action: () => unknown, where: string): void => {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof Failure, `${where}: ${String(error)}`);
    assert.ok(types.includes(error.type), `${where}: ${error.type}: ${error.message}`);
    return;
  }
  assert.fail(`${where}: nothing noticed`);
};

const flips = fc.tuple(fc.nat(10_000_000), fc.integer({ min: 0, max: 7 }));
const runs = { numRuns: 400, endOnFailure: true };

describe("a flipped bit", () => {
  test("anywhere in a pack is found by its name, and content is never wrong", async () => {
    let harmless = 0;
    await fc.assert(
      fc.asyncProperty(flips, async ([at, bit]) => {
        const altered = flip(pack.bytes, at, bit);
        failsAs(["ObjectCorrupt"], () => verifyPack(altered, pack.id), `pack byte ${at}`);
        try {
          assert.ok((await restore({ pack: altered })).equals(content));
          harmless++;
        } catch (error) {
          assert.ok(isFailure(error, "ObjectCorrupt"), String(error));
          assert.match((error as Failure).message, new RegExp(`^pack ${pack.id} .*at offset \\d+ does not open$`));
        }
      }),
      runs,
    );
    // Only head, directory and trailer are not content.
    assert.ok(harmless < runs.numRuns / 4, `${harmless} flips did not touch content`);
  });

  test("anywhere in a pack's directory or trailer is found when it is opened", () => {
    const end = openPackDirectory(pack.bytes, keys.indexKey).at(-1)!;
    for (let at = end.offset + end.storedBytes; at < pack.bytes.length; at += 3) {
      failsAs(["ObjectCorrupt", "FormatUnsupported"], () => openPackDirectory(flip(pack.bytes, at, at % 8), keys.indexKey), `byte ${at}`);
    }
  });

  test("anywhere in a range is found by its name, and by each of its readers", () => {
    fc.assert(
      fc.property(flips, ([at, bit]) => {
        const altered = flip(range.bytes, at, bit);
        failsAs(["ObjectCorrupt"], () => verifyRange(altered, range.id), `range byte ${at}`);
        failsAs(["ObjectCorrupt", "FormatUnsupported"], () => openRange(altered, rangeKey), `range byte ${at}`);
        failsAs(["ObjectCorrupt", "FormatUnsupported"], () => openRangeIndex(altered, keys.indexKey), `range byte ${at}`);
      }),
      runs,
    );
  });

  test("anywhere in a manifest is found by each of its readers", () => {
    const text = Buffer.from(manifest.bytes).toString("latin1");
    const start = text.indexOf('"signature":"') + '"signature":"'.length;
    const inSignature = (at: number) => at >= start && at < start + 88;
    fc.assert(
      fc.property(flips, ([at, bit]) => {
        const altered = flip(manifest.bytes, at, bit);
        const types: FailureType[] = ["ObjectCorrupt", "FormatUnsupported"];
        failsAs(types, () => verifyManifest(altered, [signer.publicKey]), `manifest byte ${at}`);
        // The readers below do not look at the signature.
        if (inSignature(at % altered.length)) return;
        failsAs(types, () => openManifest(altered, manifestKey), `manifest byte ${at}`);
        failsAs(types, () => openManifestIndex(altered, keys.indexKey), `manifest byte ${at}`);
        failsAs(types, () => readManifestHeader(altered), `manifest byte ${at}`);
      }),
      runs,
    );
  });
});

describe("cut off at many places", () => {
  const cuts = (bytes: Uint8Array) => Array.from({ length: 120 }, (_, n) => Math.floor((bytes.length * n) / 120)).concat(bytes.length - 1);

  test("a pack is refused by its name and by its directory's reader, and its content is never wrong", async () => {
    for (const at of cuts(pack.bytes)) {
      const cut = pack.bytes.subarray(0, at);
      failsAs(["ObjectCorrupt"], () => verifyPack(cut, pack.id), `cut at ${at}`);
      failsAs(["ObjectCorrupt"], () => openPackDirectory(cut, keys.indexKey), `cut at ${at}`);
      const restored = await restore({ pack: cut }).catch((error: unknown) => error);
      if (restored instanceof Buffer) assert.ok(restored.equals(content));
      else assert.ok(isFailure(restored, "ObjectCorrupt") && restored.message.includes(pack.id), String(restored));
    }
  });

  test("a range or a manifest is refused by every reader", () => {
    for (const at of cuts(range.bytes)) {
      const cut = range.bytes.subarray(0, at);
      failsAs(["ObjectCorrupt"], () => verifyRange(cut, range.id), `cut at ${at}`);
      failsAs(["ObjectCorrupt"], () => openRange(cut, rangeKey), `cut at ${at}`);
      failsAs(["ObjectCorrupt"], () => openRangeIndex(cut, keys.indexKey), `cut at ${at}`);
    }
    for (const at of cuts(manifest.bytes)) {
      const cut = manifest.bytes.subarray(0, at);
      failsAs(["ObjectCorrupt"], () => verifyManifest(cut, [signer.publicKey]), `cut at ${at}`);
      failsAs(["ObjectCorrupt"], () => openManifest(cut, manifestKey), `cut at ${at}`);
    }
  });
});

test("a missing pack is named as missing, one swapped for another as corrupt", async () => {
  await assert.rejects(restore({ missing: true }), (error) => isFailure(error, "ObjectMissing") && error.message.includes(pack.id));
  const other = memoryRepository();
  await other.capture("lines", [content], 10_000_000);
  const [stranger] = [...other.packs.values()];
  await assert.rejects(restore({ pack: stranger! }), (error) => isFailure(error, "ObjectCorrupt"));
});

test("chunks that are swapped within a range do not open", async () => {
  const { chunks } = openRange(range.bytes, rangeKey);
  const [first, second, ...rest] = chunks;
  const swapped = [{ ...first!, location: second!.location }, { ...second!, location: first!.location }, ...rest];
  await assert.rejects(collect(readRange({ chunks: swapped }, repository.read)), (error) => isFailure(error, "ObjectCorrupt"));
});

test("a wrong key is a wrong key, not a corrupt object", () => {
  const wrong = randomBytes(32);
  failsAs(["WrongKey"], () => openRange(range.bytes, wrong), "range");
  failsAs(["WrongKey"], () => openRangeIndex(range.bytes, wrong), "refs");
  failsAs(["WrongKey"], () => openManifest(manifest.bytes, wrong), "manifest");
  failsAs(["WrongKey"], () => openManifestIndex(manifest.bytes, wrong), "index");
  failsAs(["WrongKey"], () => openPackDirectory(pack.bytes, wrong), "directory");
});

test("a newer format version is said to be one", () => {
  const newer = (bytes: Uint8Array, at: number) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(2, at);
    return copy;
  };
  failsAs(["FormatUnsupported"], () => openRange(newer(range.bytes, 8), rangeKey), "range");
  failsAs(["FormatUnsupported"], () => openPackDirectory(newer(pack.bytes, 8), keys.indexKey), "pack head");
  failsAs(["FormatUnsupported"], () => openPackDirectory(newer(pack.bytes, pack.bytes.length - 16), keys.indexKey), "pack trailer");
  const text = Buffer.from(manifest.bytes).toString();
  failsAs(["FormatUnsupported"], () => openManifest(Buffer.from(text.replace('"version":1', '"version":2')), manifestKey), "manifest");
  const config = Buffer.from(encodeRepositoryConfig(defaultRepositoryConfig)).toString();
  failsAs(["FormatUnsupported"], () => parseRepositoryConfig(Buffer.from(config.replace('"version":1', '"version":7'))), "config");
});

test("a manifest signed by somebody else is refused, also when it claims the trusted key", async () => {
  const mallory = signerFromSeed("22".repeat(32));
  const opened = openManifest(manifest.bytes, manifestKey);
  const forged = await sealManifest(opened, { recipients: [anna.recipient], keys, signer: mallory, packs: [] });
  failsAs(["VerificationFailed"], () => verifyManifest(forged.bytes, [signer.publicKey]), "another key");
  const claimed = await sealManifest(opened, { recipients: [], keys, signer: { ...mallory, keyId: signer.keyId }, packs: [] });
  failsAs(["ObjectCorrupt"], () => verifyManifest(claimed.bytes, [signer.publicKey]), "claims the key");
  verifyManifest(manifest.bytes, [mallory.publicKey, signer.publicKey]);
  assert.deepEqual(readManifestHeader(manifest.bytes), { snapshot, signerKey: signer.keyId });
});

test("the manifest's index tells retention what it needs, and nothing of the content", () => {
  const index = openManifestIndex(manifest.bytes, keys.indexKey);
  assert.deepEqual(index.ranges, [range.id]);
  assert.deepEqual(index.packs, range.packs);
  assert.deepEqual([index.rows, index.bytes], [1500, content.length]);
  assert.ok(!JSON.stringify(index).includes("public.t"));
});

test("the ciphertext root depends on every pack, root and range, and not on their order", () => {
  const id = (n: number) => n.toString(16).padStart(2, "0").repeat(32);
  const packs = [1, 2, 3].map((n) => ({ id: id(n), root: id(n + 100) }));
  const ranges = [4, 5].map(id);
  const root = ciphertextRoot(packs, ranges);
  assert.equal(ciphertextRoot([...packs].reverse(), [...ranges, ...ranges].reverse()), root);
  const others = [
    ciphertextRoot(packs.slice(1), ranges),
    ciphertextRoot(packs, ranges.slice(1)),
    ciphertextRoot(packs.with(0, { id: id(1), root: id(0) }), ranges),
    ciphertextRoot(packs, [id(4), id(6)]),
  ];
  assert.equal(new Set([root, ...others]).size, 5);
});

test("the repository's configuration is refused when it is not one", () => {
  assert.deepEqual(parseRepositoryConfig(encodeRepositoryConfig(defaultRepositoryConfig)), defaultRepositoryConfig);
  for (const text of ["", "{}", "[]", '{"format":"dbgov-repository","version":1}', '{"format":"other","version":1}']) {
    failsAs(["ObjectCorrupt"], () => parseRepositoryConfig(Buffer.from(text)), text);
  }
});
