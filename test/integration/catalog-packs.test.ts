import assert from "node:assert/strict";
import { test } from "node:test";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { query } from "../../core/catalog/catalog.ts";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deletable, outOfReach } from "../../core/catalog/deletable.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { lookupChunks } from "../../core/catalog/lookup-chunks.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { packInfo } from "../../core/catalog/pack-info.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { registerRanges } from "../../core/catalog/register-ranges.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, freshId, hex, packOf, writtenPacks } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const chunk = (name: string) => new Uint8Array(Buffer.from(hex(name), "hex"));
/** Past every claim. */
const later = new Date(Date.now() + 30 * 86_400_000);
const muchLater = new Date(later.getTime() + 1);

test("object keys of the catalog are those of the repository", async () => {
  const id = freshId();
  const [keys] = await query<Record<string, string>>(
    catalog,
    "comparing keys",
    "SELECT dbgov.pack_key(decode($1, 'hex')) AS p, dbgov.range_key(decode($1, 'hex')) AS r, dbgov.manifest_key($1) AS m, dbgov.envelopes_key($1) AS e",
    [id],
  );
  assert.deepEqual(keys, { p: packKey(id), r: rangeKey(id), m: manifestKey(id), e: envelopesKey(id) });
});

test("chunks are found once their pack is written, in the order asked for, and not when condemned or deleted", async () => {
  const id = freshId();
  const [a, b, unknown] = [chunk(`a ${id}`), chunk(`b ${id}`), chunk(`unknown ${id}`)];
  await registerPack(catalog, packOf(id, [a, b]));
  assert.deepEqual(await lookupChunks(catalog, "disk", [a, b]), [undefined, undefined]);
  await markPackWritten(catalog, id);
  const places = [
    { pack: id, offset: 100, storedBytes: 100, plainBytes: 300 },
    undefined,
    { pack: id, offset: 0, storedBytes: 100, plainBytes: 300 },
    { pack: id, offset: 100, storedBytes: 100, plainBytes: 300 },
  ];
  assert.deepEqual(await lookupChunks(catalog, "disk", [b, unknown, a, b]), places);
  assert.deepEqual(await lookupChunks(catalog, "disk", []), []);

  await announceReplica(catalog, packKey(id), "azure", 0);
  assert.deepEqual(await lookupChunks(catalog, "azure", [a]), [undefined], "a copy that is only announced");
  assert.ok((await condemnUnreferenced(catalog, later)).packs.includes(id));
  assert.deepEqual(await lookupChunks(catalog, "disk", [a]), [undefined]);
  assert.deepEqual(await claimPacks(catalog, [id]), []);
  assert.deepEqual((await lookupChunks(catalog, "disk", [a]))[0]?.pack, id);
  await condemnUnreferenced(catalog, later);
  assert.deepEqual(await beginDelete(catalog, [id]), [id]);
  assert.deepEqual(await lookupChunks(catalog, "disk", [a]), [undefined]);
});

test("a chunk in two packs is found in the one that lives", async () => {
  const [first, second] = [freshId(), freshId()];
  const shared = chunk(`shared ${first}`);
  for (const id of [first, second]) await registerPack(catalog, packOf(id, [shared]));
  await markPackWritten(catalog, second);
  assert.equal((await lookupChunks(catalog, "disk", [shared]))[0]?.pack, second);
});

test("a chunk counts only in a store that has its pack, and no longer once the copy there was found bad", async () => {
  const id = freshId();
  const only = chunk(`only ${id}`);
  await registerPack(catalog, packOf(id, [only]));
  await markPackWritten(catalog, id);
  assert.equal((await lookupChunks(catalog, "disk", [only]))[0]?.pack, id);
  assert.deepEqual(await lookupChunks(catalog, "elsewhere", [only]), [undefined]);
  assert.equal(await loseReplica(catalog, packKey(id), "disk"), true);
  assert.deepEqual(await lookupChunks(catalog, "disk", [only]), [undefined]);
});

test("registering, marking and claiming again changes nothing", async () => {
  const id = freshId();
  const pack = packOf(id, [chunk(`c ${id}`), chunk(`d ${id}`)]);
  await registerPack(catalog, pack);
  await registerPack(catalog, pack);
  await markPackWritten(catalog, id);
  await markPackWritten(catalog, id);
  await registerPack(catalog, pack);
  assert.deepEqual(await claimPacks(catalog, [id, id]), []);
  assert.deepEqual(await claimPacks(catalog, [id]), []);
  assert.deepEqual(await packInfo(catalog, [id, freshId()]), [{ id, bytes: 1_000, root: pack.root }]);
  const chunks = await query(
    catalog,
    "counting",
    "SELECT FROM dbgov.chunk JOIN dbgov.pack p USING (pack_no) WHERE p.id = decode($1, 'hex')",
    [id],
  );
  assert.equal(chunks.length, 2);
});

test("a claim says what is gone: unknown, never written, deleted", async () => {
  const [live, intended, deleted, unknown] = [
    ...(await writtenPacks(catalog, 1)),
    freshId(),
    ...(await writtenPacks(catalog, 1)),
    freshId(),
  ];
  await registerPack(catalog, packOf(intended!));
  await condemnUnreferenced(catalog, later);
  await beginDelete(catalog, [deleted!]);
  assert.deepEqual(await claimPacks(catalog, [live!, intended!, deleted!, unknown!]), [intended, deleted, unknown]);
  assert.deepEqual(await claimPacks(catalog, []), []);
  await assert.rejects(markPackWritten(catalog, deleted!), (error) => isFailure(error, "PacksReclaimed"));
  await assert.rejects(markPackWritten(catalog, unknown!), (error) => isFailure(error, "PacksReclaimed"));
  await assert.rejects(registerPack(catalog, packOf(deleted!)), (error) => isFailure(error, "PacksReclaimed"));
});

test("what a capture registered or claimed is not condemned while its claim lasts; what is referenced never is", async () => {
  const [claimed, referenced] = await writtenPacks(catalog, 2);
  const intended = freshId();
  const range = { id: freshId(), bytes: 10 };
  await registerPack(catalog, packOf(intended));
  await registerRanges(catalog, "disk", [range]);
  await registerRanges(catalog, "disk", [range]);
  await committed(catalog, "referenced", [referenced!]);
  const now = await condemnUnreferenced(catalog, new Date());
  for (const id of [claimed!, referenced!, intended]) assert.ok(!now.packs.includes(id));
  assert.ok(!now.ranges.includes(range.id));
  const then = await condemnUnreferenced(catalog, later);
  assert.ok(then.packs.includes(claimed!) && then.packs.includes(intended) && !then.packs.includes(referenced!));
  assert.ok(then.ranges.includes(range.id));
  assert.deepEqual(await condemnUnreferenced(catalog, later), { snapshots: [], envelopes: [], ranges: [], packs: [] });
  await assert.rejects(registerRanges(catalog, "disk", [range]), (error) => isFailure(error, "PacksReclaimed"));
});

test("deletion: listed after the grace, begun once condemned, resumed until every store has finished", async () => {
  const [id] = await writtenPacks(catalog, 1);
  const mine = async (before: Date) => (await deletable(catalog, before, 1_000, ["disk"])).filter((object) => object.id === id);
  assert.deepEqual(await beginDelete(catalog, [id!]), [], "it is not condemned");
  await condemnUnreferenced(catalog, later);
  assert.deepEqual(await mine(later), [], "the grace period is not over");
  const object = { key: packKey(id!), kind: "pack", id, stores: ["disk"] };
  assert.deepEqual(await mine(muchLater), [object]);
  assert.equal((await deletable(catalog, muchLater, 1, ["disk"])).length, 1);
  assert.deepEqual(await beginDelete(catalog, [id!]), [id]);
  assert.deepEqual(await beginDelete(catalog, [id!]), [id]);
  assert.deepEqual(await mine(muchLater), [object], "a deletion that began must be finished");
  assert.ok((await outOfReach(catalog, ["disk"])).every(({ store }) => store !== "disk"));
  assert.deepEqual(
    (await deletable(catalog, muchLater, 1_000, ["azure"])).filter((found) => found.id === id),
    [],
    "a store that is not configured any more does not hold up the others",
  );
  assert.ok((await outOfReach(catalog, ["azure"])).some(({ store, objects }) => store === "disk" && objects > 0));
  await finishDelete(catalog, object.key, "disk");
  await finishDelete(catalog, object.key, "disk");
  assert.deepEqual(await mine(muchLater), []);
});

test("race: a pack is never both claimed and deleted, whoever comes first", async () => {
  let claimsWon = 0;
  let deletionsWon = 0;
  for (let round = 0; round < 100; round += 1) {
    const ids = await writtenPacks(catalog, 4);
    await condemnUnreferenced(catalog, later);
    const claims = [() => claimPacks(catalog, ids), () => claimPacks(catalog, ids.toReversed())];
    const deletions = [() => beginDelete(catalog, ids.toReversed()), () => beginDelete(catalog, ids.slice(0, 2))];
    // The others' order, and who may start a little earlier, changes from round to round.
    const order = round % 2 === 0 ? [...claims, ...deletions] : [...deletions, ...claims];
    const results = await Promise.all(order.map((act) => act()));
    const [claimResults, deleteResults] =
      round % 2 === 0 ? [results.slice(0, 2), results.slice(2)] : [results.slice(2), results.slice(0, 2)];
    for (const id of ids) {
      const deleted = deleteResults.some((result) => result.includes(id));
      const claimed = claimResults.some((gone) => !gone.includes(id));
      assert.ok(deleted !== claimed, `round ${round}: claimed ${claimed}, deleted ${deleted}`);
      const [row] = await query<{ deleted: boolean; condemned: boolean }>(
        catalog,
        "looking",
        "SELECT deleted_at IS NOT NULL AS deleted, condemned_at IS NOT NULL AS condemned FROM dbgov.pack WHERE id = decode($1, 'hex')",
        [id],
      );
      assert.deepEqual(row, { deleted, condemned: deleted });
      if (deleted) deletionsWon += 1;
      else claimsWon += 1;
    }
  }
  assert.ok(claimsWon > 20 && deletionsWon > 20, `both happened: ${claimsWon} claims, ${deletionsWon} deletions`);
});
