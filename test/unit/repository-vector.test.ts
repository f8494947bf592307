import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBase64 } from "../../core/repository/canonical-json.ts";
import { convergentSecrets } from "../../core/repository/chunk-secrets.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { parseEnvelopes, unwrapKey } from "../../core/repository/envelopes.ts";
import { parseRecipientSecret } from "../../core/repository/keys.ts";
import { openManifest, openManifestIndex, verifyManifest } from "../../core/repository/manifest.ts";
import { configKey, envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { openPackDirectory, packRoot, verifyPack } from "../../core/repository/packs.ts";
import { openRange, openRangeIndex, verifyRange } from "../../core/repository/ranges.ts";
import { readRange } from "../../core/repository/read-range.ts";
import { parseRepositoryConfig } from "../../core/repository/repository-config.ts";
import { rowDigestOf } from "../../core/repository/row-digest.ts";
import { asyncBlocks, collect, randomKeys, tableText } from "./repository-fixture.ts";
import { makeVector, type Vector } from "./repository-vector.ts";

const vectorPath = new URL("../../docs/format-vector.json", import.meta.url).pathname;

const document = (content: string): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(content), Buffer.alloc(1)]);
  bytes.writeInt32LE(bytes.length);
  return bytes;
};

/** `WRITE_FORMAT_VECTOR=1` writes the vector anew; needed only when the format's version changes. */
test("the vector of the documentation is read as it says, down to ids, digests and roots", async () => {
  if (process.env.WRITE_FORMAT_VECTOR === "1") {
    const keys = { dedupSecret: Buffer.from("d0".repeat(32), "hex"), indexKey: Buffer.from("1d".repeat(32), "hex") };
    const vector = await makeVector("A tiny repository with all its keys, for checking an implementation of docs/format.md.", keys, [
      { name: "schema", framing: "opaque", parts: [Buffer.from("create table t (id int, word text);\n")] },
      { name: "public.t", framing: "lines", parts: [tableText(60), Buffer.from("60\t\\N\n61\tno end")] },
      { name: "docs", framing: "bson", parts: [Buffer.concat(["one", "two", "drei"].map(document))] },
      { name: "public.empty", framing: "lines", parts: [Buffer.alloc(0)] },
    ]);
    await writeFile(vectorPath, `${JSON.stringify(vector, null, 2)}\n`);
  }
  const vector = JSON.parse(await readFile(vectorPath, "utf8")) as Vector;
  const get = (key: string) => decodeBase64(vector.objects[key])!;
  const secret = await parseRecipientSecret(vector.recipientSecret);
  const indexKey = Buffer.from(vector.indexKey, "hex");
  const dedupSecret = Buffer.from(vector.dedupSecret, "hex");
  const keyOf = (object: string) => unwrapKey(parseEnvelopes(get(envelopesKey(object)), object), secret);
  const { chunking } = parseRepositoryConfig(get(configKey));

  const bytes = get(manifestKey(vector.snapshot));
  verifyManifest(bytes, [decodeBase64(vector.signingPublicKey)!]);
  const manifest = openManifest(bytes, await keyOf(vector.snapshot));
  const index = openManifestIndex(bytes, indexKey);
  const roots = index.packs.map((id) => {
    verifyPack(get(packKey(id)), id);
    return { id, root: packRoot(get(packKey(id))) };
  });
  assert.equal(ciphertextRoot(roots, index.ranges), vector.ciphertextRoot);

  let convergent = 0;
  for (const [n, stream] of manifest.streams.entries()) {
    const parts: Buffer[] = [];
    for (const { id } of stream.ranges) {
      const stored = get(rangeKey(id));
      verifyRange(stored, id);
      const { chunks } = openRange(stored, await keyOf(id));
      assert.deepEqual(
        openRangeIndex(stored, indexKey).chunks,
        chunks.map(({ id, location }) => ({ id, location })),
      );
      for (const chunk of chunks) {
        const { pack, ...place } = chunk.location;
        const listed = openPackDirectory(get(packKey(pack)), indexKey).find((one) => Buffer.from(one.id).equals(chunk.id));
        assert.deepEqual(listed, { id: chunk.id, ...place });
        const content = await collect(
          readRange({ chunks: [chunk] }, async (name, { offset, length }) => get(packKey(name)).subarray(offset, offset + length)),
        );
        parts.push(content);
        if (content.length < chunking.min) continue;
        convergent++;
        const secrets = convergentSecrets(dedupSecret, content);
        assert.deepEqual([Buffer.from(secrets.id), Buffer.from(secrets.key)], [Buffer.from(chunk.id), Buffer.from(chunk.key)]);
      }
    }
    const whole = Buffer.concat(parts);
    const { name, sha256, ...digest } = vector.streams[n]!;
    assert.equal(stream.name, name);
    assert.equal(hash("sha256", whole, "hex"), sha256);
    assert.deepEqual({ rows: stream.rows, bytes: stream.bytes, sum: stream.sum }, digest);
    if (stream.ranges.length === 1) {
      assert.deepEqual(await rowDigestOf(asyncBlocks([whole]), stream.framing, decodeBase64(manifest.digestKey)!), digest);
    }
  }
  assert.ok(convergent > 0, "the vector holds a chunk whose id and key follow from its content");
});

/** The Python that can read X-Wing and zstd, or why there is none. */
const pythonMissing = (): string | false => {
  const probe = [
    "import shutil,sys",
    "from cryptography.hazmat.primitives.asymmetric import mlkem",
    "mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes(64))",
    "try:\n import zstandard\nexcept ImportError:\n sys.exit(0 if shutil.which('zstd') else 3)",
  ].join("\n");
  const { status, error } = spawnSync("python3", ["-c", probe], { encoding: "utf8" });
  if (error) return "python3 is not there";
  return status === 0 ? false : "python3 lacks `cryptography` with ML-KEM, or zstd";
};

test("a reader in another language, written from the documentation, reads the vector and a random repository", {
  skip: pythonMissing(),
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-vector-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const random = await makeVector("random", randomKeys(), [
    { name: "lines", framing: "lines", parts: [tableText(3000, 3), tableText(500, 4)] },
    { name: "large row", framing: "lines", parts: [Buffer.from(`${randomBytes(20_000).toString("base64")}\nnext\n`)] },
    {
      name: "documents",
      framing: "bson",
      parts: [Buffer.concat(Array.from({ length: 400 }, (_, n) => document(`document ${n}`.repeat(9))))],
    },
    { name: "stamped documents", framing: "stamped", parts: [Buffer.from('{"id":"a"}\t1763977275\n{"id":"b"}\t1763977276\n')] },
    { name: "noise", framing: "opaque", parts: [randomBytes(30_000)] },
  ]);
  const randomPath = join(folder, "random.json");
  await writeFile(randomPath, JSON.stringify(random));
  const reader = new URL("repository-reader.py", import.meta.url).pathname;
  for (const path of [vectorPath, randomPath]) {
    const { status, stdout, stderr } = spawnSync("python3", [reader, path], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const { streams } = JSON.parse(await readFile(path, "utf8")) as Vector;
    const read = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Vector["streams"][number]);
    const sorted = (list: readonly Vector["streams"][number][]) =>
      list.map(({ name, sha256, rows, bytes, sum }) => ({ name, sha256, rows, bytes, sum }));
    assert.deepEqual(sorted(read), sorted(streams));
  }
});
