import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { anchorStatus } from "../../core/ledger/evm.ts";
import { openLog } from "../../core/ledger/log.ts";
import { requestTimestamp } from "../../core/ledger/rfc3161.ts";
import { confirmBlocks } from "../../core/ledger/verify/confirm-blocks.ts";
import { formatWitnessKey } from "../../core/ledger/verify/cosignature.ts";
import { AuditInputError } from "../../core/ledger/verify/input-error.ts";
import { gatherCosignatures } from "../../core/ledger/witness-client.ts";
import { drafts, origin, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { bundle, trust } from "./ledger-tampering.ts";

/** Answers everything without end. */
let endless: Server;
let url: string;
let sent = 0;
before(async () => {
  const piece = Buffer.alloc(65_536, "x");
  endless = createServer((_, response) => {
    const more = (): void => {
      if (response.destroyed) return;
      sent += piece.length;
      if (response.write(piece)) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
});
after(() => {
  endless.closeAllConnections();
  endless.close();
});

/** That the peer was not heard to its end: it has none. */
const bounded = async (most: number, work: () => Promise<unknown>, refused: (error: unknown) => boolean): Promise<void> => {
  sent = 0;
  await assert.rejects(work(), (error) => {
    assert.ok(refused(error), String(error));
    return true;
  });
  assert.ok(sent < most + 16 * 1024 * 1024, `${sent} bytes were taken`);
};

test("a node that an auditor asks is cut off, too", async () => {
  await bounded(
    4 * 1024 * 1024,
    () => confirmBlocks(bundle, trust, url),
    (error) => error instanceof AuditInputError && /did not answer eth_chainId/.test(error.message),
  );
});

test("a node is asked for the blocks of a statement as for those of a bundle", async () => {
  const [anchor] = bundle.anchors;
  const node = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string };
    const block = { number: `0x${(anchor!.block + 5).toString(16)}`, hash: anchor!.blockHash };
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: method === "eth_chainId" ? `0x${anchor!.chainId.toString(16)}` : block }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  const rpc = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
  const unconfirmed = { ...trust, chains: trust.chains!.map(({ chainId, contract }) => ({ chainId, contract })) };
  const blocks = async (value: unknown) =>
    (await confirmBlocks(value, unconfirmed, rpc)).chains!.flatMap(({ finalizedBlocks = [] }) => finalizedBlocks);
  const found = [{ number: anchor!.block, hash: anchor!.blockHash }];
  assert.deepEqual(await blocks(bundle), found);
  assert.deepEqual(await blocks({ format: "dbgov-period", anchors: bundle.anchors }), found);
  for (const none of [null, {}, { anchors: [1] }, { anchors: "x" }]) assert.deepEqual(await blocks(none), []);
  node.closeAllConnections();
  await new Promise((resolve) => node.close(resolve));
});

test("a time-stamping authority, a witness and a node that answer without end are cut off", async () => {
  const authority = { name: "tsa", url, roots: [] };
  const tooLarge = /the answer is larger than 131072 bytes/;
  await bounded(
    131_072,
    () => requestTimestamp(authority, Buffer.alloc(32)),
    (error) => isFailure(error, "AuthorityRejected") && tooLarge.test(error.message),
  );

  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  await log.append(drafts(0, 3));
  const witness = { url, publicKey: formatWitnessKey({ name: "witness.example/w1", publicKey: testSigner(9).publicKey }) };
  const missing = /witness\.example\/w1 answers too much: the answer is larger than 16384 bytes/;
  await bounded(
    16_384,
    () => gatherCosignatures(log, log.checkpoint(), [witness], 1),
    (error) => isFailure(error, "WitnessesMissing") && missing.test(error.message),
  );

  const place = {
    rpc: url,
    chainId: 1,
    contract: `0x${"00".repeat(20)}`,
    logId: "00".repeat(32),
    size: 1,
    root: "00".repeat(32),
    transaction: `0x${"00".repeat(32)}`,
  };
  await bounded(
    64 * 1024 * 1024,
    () => anchorStatus(place),
    (error) => isFailure(error, "ChainUnreachable") && /the answer is larger than/.test(error.message),
  );
});
