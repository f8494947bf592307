import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { progressToStderr } from "../stack/progress.ts";
import { bsonCorpusInstallation } from "../stack/setup/bson-corpus.ts";
import { installed } from "../stack/setup/cache.ts";
import { wireTrip } from "../unit/mongodb-wire-trip.ts";
import { capture, never, ownDatabase, pieces, restoreAll, sortedDocuments } from "./mongodb-place.ts";

const folder = await installed(bsonCorpusInstallation(), progressToStderr);

interface CorpusFile {
  readonly valid?: readonly { readonly description: string; readonly canonical_bson: string; readonly degenerate_bson?: string }[];
}

/** Every valid document of the corpus, degenerate forms included, each with an `_id` of its own before what else it holds. */
const corpus = readdirSync(folder).flatMap((file) => {
  const { valid = [] } = JSON.parse(readFileSync(join(folder, file), "utf8")) as CorpusFile;
  return valid.flatMap(({ description, canonical_bson, degenerate_bson }) =>
    [canonical_bson, ...(degenerate_bson === undefined ? [] : [degenerate_bson])].map((hex) => ({ what: `${file}: ${description}`, hex })),
  );
});
const documents = corpus.map(({ what, hex }, id) => {
  const head = Buffer.from("\0\0\0\0\x10_id\0\0\0\0\0", "latin1");
  head.writeInt32LE(id, 9);
  const bytes = Buffer.concat([head, Buffer.from(hex, "hex").subarray(4)]);
  bytes.writeInt32LE(bytes.length, 0);
  return { what, bytes };
});

test("every valid document of the BSON corpus goes from a server's reply into an insert byte for byte", async () => {
  assert.ok(documents.length > 700, `${documents.length} documents`);
  for (const { what, bytes } of documents) assert.ok((await wireTrip(bytes)).equals(bytes), what);
});

// Not on FerretDB, which closes the connection over a document that it cannot parse. SecantusDB parses documents, so that a degenerate form becomes canonical in it.
test("what SecantusDB takes of the corpus comes back byte for byte", async () => {
  await using source = await ownDatabase("secantus");
  const stream = { name: "corpus", target: { collection: "corpus" }, framing: "bson" as const };
  const writing = await mongodb.restore(source.url, { replace: false, definitions: [], parallelism: 1 }, never);
  let taken = 0;
  try {
    await writing.prepare();
    // Six hundred forms of Decimal128, all of which it takes, and then one by one what it may refuse.
    const [decimals, others] = [true, false].map((is) => documents.filter(({ what }) => what.startsWith("decimal128") === is));
    await writing.write(stream, pieces(Buffer.concat(decimals!.map(({ bytes }) => bytes))));
    taken += decimals!.length;
    for (const { what, bytes } of others!) {
      try {
        await writing.write(stream, pieces(bytes));
        taken += 1;
      } catch (error) {
        assert.ok(isFailure(error, "RestoreFailed"), `${what}: ${String(error)}`);
      }
    }
  } finally {
    await writing.close();
  }
  assert.ok(taken > 700, `${taken} taken`);
  const streams = await capture(source.url);
  await using target = await ownDatabase("secantus");
  const back = await restoreAll(target.url, streams);
  const held = sortedDocuments(streams.find(({ name }) => name === "corpus")!.content);
  assert.equal(held.length, taken);
  assert.deepEqual(sortedDocuments(back.get("corpus")!), held);
});
