import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { considerHead, formatWitnessRequest, type Witness } from "../../core/ledger/cosign.ts";
import { addressOfKey, collectEvidence, deployRegistry, registryLogId, submitCheckpoint } from "../../core/ledger/evm.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import { buildProofBundle, formatProofBundle } from "../../core/ledger/proof-bundle.ts";
import { requestTimestamp } from "../../core/ledger/rfc3161.ts";
import { toHex, utf8 } from "../../core/ledger/verify/bytes.ts";
import { readPemCertificates } from "../../core/ledger/verify/certificates.ts";
import { checkpointText } from "../../core/ledger/verify/checkpoint.ts";
import { formatWitnessKey } from "../../core/ledger/verify/cosignature.ts";
import type { EvmEvidence } from "../../core/ledger/verify/evm-evidence.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { checkpointHash } from "../../core/ledger/verify/timestamp.ts";
import type { Trust } from "../../core/ledger/verify/trust.ts";
import { startAuthority } from "../integration/ledger-authority.ts";
import { callChain, until } from "../integration/ledger-chain.ts";
import { startPrivateChain } from "../integration/ledger-private-chain.ts";
import { useStack } from "../stack/use-stack.ts";
import { drafts, nameSalt, origin, sealedDraft, testSigner } from "../unit/ledger-fixtures.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

// Writes the example of docs/proof.md, and the other vectors that its tests tamper with: real blocks of two chains, real tokens of OpenSSL.
// By hand, when the bundle's format changes: bin/node24 test/sample/write-proof-example.ts

const root = join(import.meta.dirname, "../..");
const signer = testSigner();
const signingKey = "51".repeat(32);
const submitter = `0x${"5b".repeat(32)}`;
const database = { name: "orders", salt: nameSalt };

const witnesses: Witness[] = ["witness.example/w1", "witness.example/w2"].map((name, at) => {
  const { publicKey, sign } = testSigner(31 + at);
  return { key: { name, publicKey }, sign };
});

const signed = (from: number, to: number) =>
  drafts(from, to).map((draft) => ({ ...draft, body: { ...draft.body, signer: signingKey } as typeof draft.body }));

const cosigned = async (log: Log, size: number): Promise<string> => {
  const { note } = await log.checkpointAt(size);
  const asked = formatWitnessRequest({ old: 0, proof: [], note });
  const log_ = { name: log.origin, publicKey: signer.publicKey };
  const lines = witnesses.map((witness) => considerHead(asked, log_, undefined, witness, Math.floor(Date.now() / 1000)).body);
  return note + lines.join("");
};

/** A registry at the same address on every chain, since the same account's first transactions deploy it. */
const registryOn = async (rpc: string, chainId: number) => {
  await callChain(rpc, "anvil_setBalance", addressOfKey(submitter), "0x8ac7230489e80000");
  const registry = () => deployRegistry({ rpc, chainId, key: submitter, submitter: addressOfKey(submitter) });
  const [first, second] = [await registry(), await registry()];
  const anchor = async (log: Log, size: number, contract: string): Promise<EvmEvidence> => {
    const root = toHex((await log.checkpointAt(size)).root);
    const head = { rpc, chainId, contract, logId: registryLogId(log.origin), size, root };
    const { transaction } = await submitCheckpoint({ ...head, key: submitter, maxFeeGwei: 50 });
    return (await until(
      () => collectEvidence({ ...head, transaction }).catch(() => undefined),
      (found) => found !== undefined,
    ))!;
  };
  return { contract: first.contract, otherContract: second.contract, anchor };
};

const folder = await mkdtemp(join(tmpdir(), "dbgov-example-"));
const chain = await startPrivateChain(1);
const authority = await startAuthority(join(folder, "authority"));
try {
  await callChain(chain.rpc, "evm_setAutomine", true);
  const { rpc, chainId } = (await useStack("anvil")).anvil;
  const [here, there] = [await registryOn(chain.rpc, chain.chainId), await registryOn(rpc, chainId)];
  const log = await openLog({ store: memoryStore(), origin, signer });
  await log.append(signed(0, 50));
  const roots = await readFile(authority.roots, "utf8");
  const stamped = async (size: number, by: string): Promise<Uint8Array> => {
    const hash = checkpointHash(checkpointText(origin, size, (await log.checkpointAt(size)).root));
    const trusted = readPemCertificates(by === "stranger" ? await readFile(join(authority.folder, "other.pem"), "utf8") : roots);
    return (await requestTimestamp({ name: by, url: `${authority.url}?signer=${by}`, roots: trusted }, hash)).token;
  };
  const bundleOf = async (index: number, size: number, by: string, since?: number) =>
    buildProofBundle({
      log,
      index,
      size,
      published: await cosigned(log, size),
      anchors: [await here.anchor(log, size, here.contract)],
      timestamps: [await stamped(size, by)],
      database,
      ...(since === undefined ? {} : { since }),
    });
  const older = await bundleOf(3, 9, "ec");
  const bundle = await bundleOf(3, 20, "ec", 9);
  const other = await bundleOf(30, 50, "rsa", 9);

  const rewritten = await openLog({ store: memoryStore(), origin, signer });
  await rewritten.append([...signed(0, 3), sealedDraft(77), ...signed(4, 20)]);
  const rewrittenBundle = await buildProofBundle({
    log: rewritten,
    index: 3,
    published: await cosigned(rewritten, 20),
    since: 9,
    database,
  });

  const trust: Trust = {
    log: { origin, publicKey: formatNoteKey({ name: origin, publicKey: signer.publicKey }) },
    signingKeys: [signingKey],
    witnesses: { publicKeys: witnesses.map(({ key }) => formatWitnessKey(key)), quorum: 2 },
    chains: [
      {
        chainId: chain.chainId,
        contract: here.contract.toLowerCase(),
        finalizedBlocks: [older, bundle, other].map(({ anchors: [anchor] }) => ({ number: anchor!.block, hash: anchor!.blockHash })),
      },
    ],
    authorities: [roots],
    require: { anchor: true, timestamp: true },
    since: { size: 9, root: toHex((await log.checkpointAt(9)).root) },
  };
  const head = await log.checkpointAt(20);
  const vectors = {
    about: "What the tests of the verifiers tamper with, beside docs/proof-example; written by write-proof-example.ts.",
    other,
    older,
    rewritten: rewrittenBundle,
    otherContract: await here.anchor(log, 20, here.otherContract),
    otherChain: await there.anchor(log, 20, there.contract),
    strangerToken: Buffer.from(await stamped(20, "stranger")).toString("base64"),
    otherKeyCheckpoint: (await signCheckpoint(origin, 20, head.root, testSigner(2))).note,
    otherOriginCheckpoint: (await signCheckpoint("other.example/log", 20, head.root, signer)).note,
    after20: { size: 20, root: toHex(head.root) },
  };
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const example = join(root, "docs/proof-example");
  await mkdir(example, { recursive: true });
  await writeFile(join(example, "bundle.json"), formatProofBundle(bundle));
  await writeFile(join(example, "trust.json"), json(trust));
  await writeFile(join(root, "test/sample/proof-vectors.json"), json(vectors));
  console.log(`bundle ${utf8(formatProofBundle(bundle)).length} bytes`);
} finally {
  chain.stop();
  await authority.close();
  await rm(folder, { recursive: true, force: true });
}
