import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { serveWitness, type WitnessOptions } from "../../client/witness-server.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { formatWitnessRequest } from "../../core/ledger/cosign.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import { cosignaturesOf, formatWitnessKey } from "../../core/ledger/verify/cosignature.ts";
import type { Hash } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { gatherCosignatures } from "../../core/ledger/witness-client.ts";
import { findProgram } from "../stack/programs.ts";
import { drafts, origin, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";

const signer = testSigner();
const logKey = { name: origin, publicKey: signer.publicKey };

const witnessNamed = (name: string, seed: number) => {
  const { publicKey, sign } = testSigner(seed);
  return { key: { name, publicKey }, sign };
};

describe("a witness", () => {
  let folder: string;
  const running: { close(): Promise<void> }[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-witness-"));
  });
  after(async () => {
    await Promise.all(running.map((one) => one.close()));
    await rm(folder, { recursive: true, force: true });
  });

  const witness = witnessNamed("witness.example/w1", 21);
  const start = async (state: string, changes: Partial<WitnessOptions> = {}) => {
    const one = await serveWitness({ witness, logs: [logKey], state: join(folder, state), host: "127.0.0.1", port: 0, ...changes });
    running.push(one);
    return { url: `http://127.0.0.1:${one.port}`, close: one.close };
  };
  const post = async (url: string, body: string) => {
    const response = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
    return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
  };
  const grown = async (size: number): Promise<Log> => {
    const log = await openLog({ store: memoryStore(), origin, signer });
    await log.append(drafts(0, size));
    return log;
  };
  const request = async (log: Log, old: number, size: number): Promise<string> => {
    const proof = await log.consistencyProof(old, size);
    return formatWitnessRequest({ old, proof, note: (await log.checkpointAt(size)).note });
  };

  test("cosigns what extends the last head, keeps that over a restart, and Go code of others finds its cosignature right", async () => {
    const log = await grown(20);
    const first = await start("keeps");
    assert.equal((await (await fetch(first.url)).text()).trim(), formatWitnessKey(witness.key));
    const asked = await request(log, 0, 7);
    const answer = await post(first.url, asked);
    assert.equal(answer.status, 200);
    const [cosigned] = cosignaturesOf((await log.checkpointAt(7)).note + answer.body, [witness.key]);
    assert.ok(cosigned !== undefined && Math.abs(cosigned.time * 1000 - Date.now()) < 60_000);

    await writeFile(join(folder, "request"), asked);
    await writeFile(join(folder, "response"), answer.body);
    const program = await findProgram("tlog", () => {});
    const args = [join(folder, "request"), formatNoteKey(logKey), formatWitnessKey(witness.key), join(folder, "response")];
    const { stdout } = await promisify(execFile)(program, ["witness", ...args]);
    assert.deepEqual(JSON.parse(stdout).cosigned, [cosigned.time]);

    await first.close();
    const second = await start("keeps");
    assert.deepEqual(await post(second.url, asked), { status: 409, type: "text/x.tlog.size", body: "7\n" }, "it remembers 7");
    assert.equal((await post(second.url, await request(log, 7, 7))).status, 200, "the same head again");
    assert.equal((await post(second.url, await request(log, 7, 20))).status, 200);
    assert.deepEqual(await post(second.url, await request(log, 7, 15)), { status: 409, type: "text/x.tlog.size", body: "20\n" });
  });

  test("refuses, each with its own status, whatever does not extend it or is not of a log that it knows", async () => {
    const { url } = await start("refuses");
    const log = await grown(20);
    assert.equal((await post(url, await request(log, 0, 10))).status, 200);
    const { root, note } = await log.checkpointAt(12);
    const proof = await log.consistencyProof(10, 12);
    const ask = (changes: { old?: number; proof?: readonly Hash[]; note?: string }) =>
      post(url, formatWitnessRequest({ old: 10, proof, note, ...changes }));
    const forked = root.map((byte) => byte ^ 1);
    const other = await openLog({ store: memoryStore(), origin: "other.example", signer });
    await other.append(drafts(0, 12));
    const stranger = testSigner(5);
    assert.equal((await ask({ note: (await signCheckpoint(origin, 12, forked, signer)).note })).status, 422, "a fork of another size");
    assert.equal((await ask({ proof: proof.slice(1) })).status, 422);
    assert.match((await ask({ proof: [], note: (await signCheckpoint(origin, 10, forked, signer)).note })).body, /the log has forked/);
    assert.equal((await ask({ proof: [], note: (await signCheckpoint(origin, 10, forked, signer)).note })).status, 409);
    assert.equal((await ask({ note: other.checkpoint().note })).status, 404);
    assert.equal((await ask({ note: (await signCheckpoint(origin, 12, root, stranger)).note })).status, 403);
    assert.equal((await ask({ old: 13 })).status, 400);
    assert.equal((await ask({ proof: Array<Hash>(64).fill(root) })).status, 400);
    for (const wrong of ["", "old 10\n", "old 010\n\nx", `old 10\nnot base64\n\n${note}`, `size 10\n\n${note}`]) {
      assert.equal((await post(url, wrong)).status, 400, JSON.stringify(wrong));
    }
    assert.equal((await post(url, "x".repeat(40_000)).catch(() => ({ status: 413 }))).status, 413);
    assert.equal((await fetch(`${url}/add-checkpoint`)).status, 405);
    assert.equal((await fetch(`${url}/other`)).status, 404);
    assert.equal((await ask({})).status, 200, "none of it has changed what it remembers");
  });

  test("two at once: only one of two forks is cosigned, and a state that cannot be read stops it", async () => {
    const { url, close } = await start("at-once");
    const log = await grown(30);
    await post(url, await request(log, 0, 5));
    const requests = await Promise.all([11, 12, 13, 14, 15].map((size) => request(log, 5, size)));
    const answers = await Promise.all(requests.map((body) => post(url, body)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409]);
    await close();
    const [head] = (await readdir(join(folder, "at-once"))).filter((name) => name.endsWith(".head"));
    await writeFile(join(folder, "at-once", head ?? ""), "");
    await assert.rejects(start("at-once"), (error) => isFailure(error, "UsageInvalid") && /is damaged/.test(error.message));
  });

  test("a log whose key is replaced is known by both keys, and by no third one", async () => {
    const [next, third] = [testSigner(31), testSigner(32)];
    const { url } = await start("rotated", { logs: [logKey, { name: origin, publicKey: next.publicKey }] });
    const root = (await grown(10)).checkpoint().root;
    const ask = async (by: typeof next) =>
      await post(url, formatWitnessRequest({ old: 0, proof: [], note: (await signCheckpoint(origin, 10, root, by)).note }));
    assert.equal((await ask(third)).status, 403);
    assert.equal((await ask(next)).status, 200);
    // In the overlap a head carries both signatures, for witnesses that know one of the keys.
    const both = { ...next, earlier: [signer] };
    for (const [name, known] of [
      ["old", logKey],
      ["new", { name: origin, publicKey: next.publicKey }],
    ] as const) {
      const one = await start(`knows-the-${name}`, { logs: [known] });
      const note = (await signCheckpoint(origin, 10, root, both)).note;
      assert.equal((await post(one.url, formatWitnessRequest({ old: 0, proof: [], note }))).status, 200, name);
    }
  });

  test("a log gathers as many as its policy asks for, and says what each of the others said", async () => {
    const others = [witnessNamed("witness.example/w2", 22), witnessNamed("witness.example/w3", 23)] as const;
    const places = [
      { url: (await start("w1")).url, publicKey: formatWitnessKey(witness.key) },
      { url: `${(await start("w2", { witness: others[0] })).url}/`, publicKey: formatWitnessKey(others[0].key) },
      // Answers with the cosignature of another key than its own.
      { url: (await start("w3", { witness })).url, publicKey: formatWitnessKey(others[1].key) },
      { url: "http://127.0.0.1:9", publicKey: formatWitnessKey({ ...others[1].key, name: "witness.example/w4" }) },
    ];
    const log = await grown(9);
    const { note, witnesses } = await gatherCosignatures(log, log.checkpoint(), places, 2);
    assert.deepEqual(witnesses, ["witness.example/w1", "witness.example/w2"]);
    assert.equal(cosignaturesOf(note, [witness.key, others[0].key, others[1].key]).length, 2);
    await log.append(drafts(9, 300));
    assert.equal(
      (await gatherCosignatures(log, log.checkpoint(), places.slice(0, 2), 2)).witnesses.length,
      2,
      "from the size that each saw",
    );
    await assert.rejects(
      gatherCosignatures(log, log.checkpoint(), places, 3),
      (error) =>
        isFailure(error, "WitnessesMissing") &&
        /^2 of 4 witnesses have cosigned size 300 .* and 3 must: witness.example\/w3 answers with no cosignature of its key; witness.example\/w4 cannot be reached/.test(
          error.message,
        ),
    );
    const rolledBack = await grown(100);
    await assert.rejects(
      gatherCosignatures(rolledBack, rolledBack.checkpoint(), places.slice(0, 1), 1),
      (error) => isFailure(error, "WitnessesMissing") && /w1 has seen 300 entries of it: the log was rolled back/.test(error.message),
    );
  });
});
