import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { Failure } from "../../core/domain/failure.ts";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { chainEvidenceKey, publishedNoteKey, tokenKey } from "../../core/ledger/evidence-keys.ts";
import { anchorStatus, collectEvidence } from "../../core/ledger/evm.ts";
import { openLog } from "../../core/ledger/log.ts";
import { type AskChain, rebuildAttestation } from "../../core/site/rebuild/rebuild-record.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import { testSigner } from "../unit/ledger-fixtures.ts";
import { type AuditSite, createAuditSite } from "./audit-site.ts";

const signal = new AbortController().signal;
let own: AuditSite;
before(async () => {
  own = await createAuditSite(["shop"]);
});
after(() => own?.close());

const askNobody: AskChain = async () => ({ unasked: "nobody is asked" });

test("evidence beside the log that does not hold is named, records nothing, and keeps nothing else from being rebuilt", async () => {
  const { site } = own;
  await own.log("shop", "2026-11-01T02:00:00.000Z", "2026-11-02T02:00:00.000Z", "2026-11-03T02:00:00.000Z");
  const catalog = await site.catalog();
  await catalog.pool.query("DELETE FROM dbgov.checkpoint");
  const { origin } = site.loaded.config.log;
  const [store, signer] = [await site.store("local"), await site.logSigner()];
  const log = await openLog({ store, origin, signer });
  const { root } = await log.checkpointAt(2);
  const put = (key: string, text: string) => store.put(key, new TextEncoder().encode(text), signal);
  await put(publishedNoteKey(1), (await signCheckpoint(origin, 1, (await log.checkpointAt(1)).root, testSigner(77))).note);
  await put(publishedNoteKey(2), (await log.checkpointAt(1)).note);
  await put(publishedNoteKey(0), "of an empty log");
  await put(chainEvidenceKey(1, "chain"), "{ torn");
  await put(chainEvidenceKey(2, "chain"), JSON.stringify({ kind: "evm", root }));
  await put(tokenKey(2, "gone"), "token");
  const openToken = async () => {
    throw new Failure("NameUnknown", "no time-stamping authority is called gone");
  };
  const rebuild = () => rebuildAttestation(catalog, log, store, () => "chain", openToken, askNobody, [signer], signal);
  const { anchors, timestamps, refused } = await rebuild();
  assert.deepEqual([anchors, timestamps], [0, 0]);
  assert.deepEqual(refused.map((sentence) => sentence.split(" ")[0]).toSorted(), [
    "1/chain.json",
    "1/checkpoint",
    "2/chain.json",
    "2/checkpoint",
    "2/gone.tst",
  ]);
  assert.match(refused.join("\n"), /1\/checkpoint carries no valid signature[\s\S]*2\/checkpoint is of another checkpoint than the log's/);
  assert.match(refused.join("\n"), /2\/gone\.tst cannot be checked: no time-stamping authority/);
  assert.equal(await latestPublished(catalog, origin), undefined);
  assert.equal(await latestAnchor(catalog, "chain"), undefined);

  await put(publishedNoteKey(3), log.checkpoint().note);
  await rebuild();
  assert.equal((await latestPublished(catalog, origin))?.size, 3);
});

test("an anchor of a rebuilt catalog is final once a node says so, mined while none can be asked, and none when the chain has it not", async () => {
  const { site } = own;
  const catalog = await site.catalog();
  const { origin } = site.loaded.config.log;
  const [store, signer] = [await site.store("local"), await site.logSigner()];
  await own.anchor();
  const anchored = (await latestAnchor(catalog, "chain", "finalized"))!;
  const evidence = await collectEvidence({ ...(await registryPlace(site, "chain")), ...anchored });
  await store.put(chainEvidenceKey(anchored.size, "chain"), new TextEncoder().encode(JSON.stringify(evidence)), signal);
  const log = await openLog({ store, origin, signer });
  const noToken = async () => ({ reason: "is not looked at" });
  const rebuilt = async (ask: AskChain) => {
    await catalog.pool.query("DELETE FROM dbgov.anchor");
    const { anchors, refused } = await rebuildAttestation(catalog, log, store, () => "chain", noToken, ask, [signer], signal);
    return {
      anchors,
      status: (await latestAnchor(catalog, "chain"))?.status,
      said: refused.filter((one) => one.startsWith(`${anchored.size}/chain`)),
    };
  };
  const node: AskChain = async (anchor, { transaction }, head) =>
    await anchorStatus({ ...(await registryPlace(site, anchor)), ...head, transaction });
  assert.deepEqual(await rebuilt(node), { anchors: 1, status: "finalized", said: [] });
  const unasked = await rebuilt(askNobody);
  assert.deepEqual([unasked.anchors, unasked.status], [0, "mined"]);
  assert.match(unasked.said.join(), /is recorded as mined, and not as final, since nobody is asked/);
  const { block, blockHash } = evidence;
  const found = { block, blockHash, time: evidence.time, cost: "1" };
  assert.equal((await rebuilt(async () => ({ ...found, status: "mined" }))).status, "mined");
  for (const told of [{ status: "dropped" } as const, { ...found, status: "finalized", blockHash: `0x${"00".repeat(32)}` } as const]) {
    const gone = await rebuilt(async () => told);
    assert.deepEqual([gone.anchors, gone.status], [0, undefined]);
    assert.match(gone.said.join(), /is of a block that the chain does not have/);
  }
});
