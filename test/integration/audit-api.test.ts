import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { launcher, runDbgov } from "../../client/demo/run-dbgov.ts";
import { hashAuditToken, makeAuditToken } from "../../client/http/audit-token.ts";
import { serveAuditApi } from "../../client/http/serve-audit-api.ts";
import { type AuditScope, listAuditTokens, recordAuditToken, revokeAuditToken } from "../../core/catalog/audit-tokens.ts";
import { query } from "../../core/catalog/catalog.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { openLog } from "../../core/ledger/log.ts";
import { decodeEntryBundle, decodeTile } from "../../core/ledger/tiles.ts";
import { auditBundle } from "../../core/ledger/verify/audit.ts";
import { openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { commit, entryBytes, type LogEntry } from "../../core/ledger/verify/entry.ts";
import { fromHex, leafHash, toHex } from "../../core/ledger/verify/hash.ts";
import { verifyConsistency, verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { auditPeriod } from "../../core/ledger/verify/period.ts";
import { trustedKey } from "../../core/ledger/verify/trust.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { type AuditSite, createAuditSite } from "./audit-site.ts";

interface Proven {
  readonly index: number;
  readonly entry: LogEntry;
  readonly inclusion: readonly string[];
  readonly database?: { readonly name: string; readonly salt: string };
}

const day = (number: number): string => `2026-11-${String(number).padStart(2, "0")}T02:15:00.000Z`;

describe("the audit API", () => {
  let own: AuditSite;
  let serving: Awaited<ReturnType<typeof serveAuditApi>>;
  let all: string;
  let shopOnly: string;
  const notes: string[] = [];

  const tokenFor = async (scope: Partial<AuditScope> = {}, validMs = 60_000): Promise<{ id: string; token: string }> => {
    const { id, token } = makeAuditToken();
    const createdAt = new Date();
    const expiresAt = new Date(createdAt.getTime() + validMs);
    const full = { databases: null, kinds: null, ...scope };
    await recordAuditToken(await own.site.catalog(), { id, auditor: "tests", hash: hashAuditToken(token), ...full, createdAt, expiresAt });
    return { id, token };
  };
  const fetchAt = (path: string, token: string | undefined, method = "GET"): Promise<Response> =>
    fetch(`http://127.0.0.1:${serving.port}${path}`, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers.
  const ask = async (path: string, token = all): Promise<{ status: number; body: any }> => {
    const response = await fetchAt(path, token);
    return { status: response.status, body: await response.json() };
  };
  const serve = (perMinute = 10_000) =>
    serveAuditApi(own.site, { host: "127.0.0.1", port: 0, perMinute, onNote: (line) => void notes.push(line) });

  before(async () => {
    own = await createAuditSite(["shop", "crm"]);
    await own.log("shop", day(1), day(2), day(3));
    await own.log("crm", day(2), day(4));
    await own.log(null, day(5));
    await own.anchor();
    serving = await serve();
    all = (await tokenFor()).token;
    shopOnly = (await tokenFor({ databases: ["shop"] })).token;
  });
  after(async () => {
    await serving?.close();
    await own?.close();
  });

  const verified = async ({ checkpoint, entries }: { checkpoint: string; entries: readonly Proven[] }): Promise<number[]> => {
    const trust = await own.trust();
    const head = openCheckpoint(checkpoint, trust.log.origin, trustedKey(trust));
    assert.ok("size" in head);
    for (const { index, entry, inclusion, database } of entries) {
      assert.ok(verifyInclusion(leafHash(entryBytes(entry)), index, head.size, inclusion.map(fromHex), head.root), `entry ${index}`);
      assert.equal(
        database === undefined ? undefined : commit(database.name, database.salt),
        "database" in entry ? entry.database : undefined,
      );
    }
    return entries.map(({ index }) => index);
  };

  test("entries by database, kind and period, in pages, each proven against the answer's checkpoint", async () => {
    const indexes = async (search: string, token = all) => verified((await ask(`/v1/entries?${search}`, token)).body);
    assert.deepEqual(await indexes(""), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(await indexes("database=crm"), [3, 4]);
    assert.deepEqual(await indexes("kind=sweep-finished"), [5]);
    assert.deepEqual(await indexes(`since=${day(2)}&until=${day(4)}`), [1, 2, 3]);
    const first = (await ask("/v1/entries?limit=2&database=shop")).body;
    assert.deepEqual([await verified(first), first.next], [[0, 1], 2]);
    const second = (await ask(`/v1/entries?limit=2&database=shop&from=${first.next}`)).body;
    assert.deepEqual([await verified(second), second.next], [[2], null]);
    const one = (await ask("/v1/entries/3")).body;
    await verified({ checkpoint: one.checkpoint, entries: [one] });
    assert.equal(one.database.name, "crm");
  });

  test("a token sees its scope, and what concerns no database; names of other databases are nowhere in the answers", async () => {
    const { body } = await ask("/v1/entries", shopOnly);
    assert.deepEqual(await verified(body), [0, 1, 2, 5]);
    assert.ok(!JSON.stringify(body).includes("crm"));
    for (const path of ["/v1/entries/3", "/v1/entries/3/bundle"]) assert.equal((await ask(path, shopOnly)).status, 404, path);
    assert.deepEqual((await ask("/v1/entries?database=crm", shopOnly)).body.entries, []);
    const drills = (await tokenFor({ kinds: ["sweep-finished"] })).token;
    assert.deepEqual(await verified((await ask("/v1/entries", drills)).body), [5]);
    assert.equal((await ask("/v1/entries/0", drills)).status, 404);
    const scope = (await ask("/v1/scope", shopOnly)).body;
    assert.deepEqual([scope.auditor, scope.databases, scope.kinds], ["tests", ["shop"], null]);
  });

  test("bundles verify with their anchor, and disclose the database", async () => {
    const { body } = await ask("/v1/entries/4/bundle?since=2");
    const [anchor] = (await ask("/v1/anchors")).body.anchors;
    assert.deepEqual([anchor.size, anchor.explorer], [6, null]);
    const trust = await own.trust();
    const finalizedBlocks = [{ number: anchor.block as number, hash: anchor.blockHash as string }];
    // The entries' times are made up, and a development chain's are not.
    const report = auditBundle(body, { ...trust, chains: trust.chains!.map((chain) => ({ ...chain, finalizedBlocks })) });
    assert.deepEqual(report.failures, []);
    assert.equal(report.entry?.databaseName, "crm");
  });

  test("a statement of a period is told to who may see all of the database, and verifies", async () => {
    const path = "/v1/databases/crm/statement?from=2026-11-01&to=2026-11-30";
    const { status, body } = await ask(path);
    assert.equal(status, 200, JSON.stringify(body));
    const report = auditPeriod(body, await own.trust());
    assert.deepEqual(report.failures, []);
    assert.equal((await ask(path, shopOnly)).status, 404);
    assert.equal((await ask("/v1/databases/crm/statement?from=2026-11-01&to=soon")).status, 400);
    assert.equal(report.period?.objectives.length, 4);
    assert.deepEqual((await ask(`${path}&page=1`)).body, body);
    assert.equal((await ask(`${path}&page=2`)).status, 404);
  });

  test("checkpoints, consistency and tiles are those of the log, as other tools read them", async () => {
    const trust = await own.trust();
    const { checkpoints } = (await ask("/v1/checkpoints")).body as { checkpoints: { size: number; note: string }[] };
    assert.deepEqual(
      checkpoints.map(({ size }) => size),
      [3, 5, 6],
    );
    const heads = checkpoints.map(({ note }) => openCheckpoint(note, trust.log.origin, trustedKey(trust)));
    const { proof } = (await ask("/v1/consistency?from=3&to=6")).body as { proof: string[] };
    assert.ok(verifyConsistency(heads[0] as never, heads[2] as never, proof.map(fromHex)));
    const note = await (await fetchAt("/log/checkpoint", all)).text();
    assert.equal(note, checkpoints[2]!.note);
    const tile = new Uint8Array(await (await fetchAt("/log/tile/0/000.p/6", all)).arrayBuffer());
    const bundle = new Uint8Array(await (await fetchAt("/log/tile/entries/000.p/6", all)).arrayBuffer());
    assert.deepEqual(
      decodeEntryBundle(bundle, 6)?.map((bytes) => toHex(leafHash(bytes))),
      decodeTile(tile, 6)?.map(toHex),
    );
    assert.equal((await fetchAt("/log/tile/0/000.p/6", shopOnly)).status, 200);
    for (const [path, token] of [
      ["/log/tile/entries/000.p/6", shopOnly],
      ["/log/tile/0/000.p/7", all],
      ["/log/tile/0/000", all],
      ["/log/tile/0/..%2f..%2fcheckpoint", all],
      ["/log/tile/0/0000.p/6", all],
      ["/log/tile/9/000", all],
    ] as const) {
      assert.equal((await fetchAt(path, token)).status, 404, path);
    }
  });

  test("a grown log is seen within a second or so", async () => {
    await own.log("shop", day(6));
    const deadline = Date.now() + 10_000;
    while ((await ask("/v1/entries/6")).status !== 200) {
      assert.ok(Date.now() < deadline);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test("without a token, with an unknown, expired or revoked one, nothing is told; wrong ones are told to wait, and right ones are not", async () => {
    const expired = (await tokenFor({}, -1)).token;
    const { id, token } = await tokenFor();
    assert.equal((await ask("/v1/scope", token)).status, 200);
    await revokeAuditToken(await own.site.catalog(), id, new Date());
    for (const wrong of [undefined, "nonsense", makeAuditToken().token, expired, token]) {
      const response = await fetchAt("/v1/entries", wrong);
      assert.equal(response.status, 401, wrong);
      assert.equal(((await response.json()) as { error: { type: string } }).error.type, "TokenRejected");
    }
    const statuses = [];
    for (let at = 0; at < 40; at++) statuses.push((await fetchAt("/v1/entries", undefined)).status);
    assert.deepEqual([statuses[0], statuses.at(-1), (await fetchAt("/v1/scope", all)).status], [401, 429, 200]);
    // Only the hash is kept.
    const rows = await query(await own.site.catalog(), "looking", "SELECT to_json(t)::text AS row FROM dbgov.audit_token t");
    assert.ok(!JSON.stringify(rows).includes(all.split("-").at(-1)!));
  });

  test("nothing can be written, and a request that is wrong is told so", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const path of ["/v1/entries", "/log/checkpoint", "/", "/v1/entries/0"]) {
        const response = await fetch(`http://127.0.0.1:${serving.port}${path}`, { method, headers: { authorization: `Bearer ${all}` } });
        assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"], `${method} ${path}`);
      }
    }
    for (const [path, status] of [
      ["/v1/entries/-1", 400],
      ["/v1/entries/abc", 400],
      ["/v1/entries/999999", 404],
      ["/v1/entries?limit=1000", 400],
      ["/v1/entries?since=yesterday", 400],
      ["/v1/consistency?from=5&to=3", 400],
      ["/v1/consistency?from=3&to=999", 404],
      ["/v1/snapshots/20261124T021500Z-000000000000/bundle", 404],
      ["/v1/nothing", 404],
    ] as const) {
      const { status: found, body } = await ask(path);
      assert.deepEqual([found, typeof body.error?.message], [status, "string"], path);
    }
  });

  test("anchors of one size are all shown, however small the pages are", async () => {
    const catalog = await own.site.catalog();
    const [known] = (await ask("/v1/anchors")).body.anchors;
    for (const [size, of] of [
      [1, 3],
      [2, 1],
    ] as const) {
      for (let at = 0; at < of; at++) {
        const { root, chainId, contract, block, blockHash } = known;
        const transaction = `0x${hashOf(`${size} ${at}`)}`;
        await recordAnchor(catalog, {
          anchor: `other-${at}`,
          size,
          root,
          chainId,
          contract,
          transaction,
          block,
          blockHash,
          status: "finalized",
          at: new Date(),
        });
      }
    }
    for (const limit of [1, 2, 3, 4, 100]) {
      const sizes: number[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const { body } = await ask(`/v1/anchors?limit=${limit}&after=${after}`);
        sizes.push(...body.anchors.map(({ size }: { size: number }) => size));
        after = body.next;
      }
      assert.deepEqual(sizes, [1, 1, 1, 2, 6], `limit ${limit}`);
    }
  });

  test("its description is made of the schemas, and the page needs nobody else", async () => {
    const { body } = await ask("/openapi.json");
    assert.equal(body.openapi, "3.1.0");
    for (const path of ["/v1/entries", "/v1/entries/{index}/bundle", "/v1/anchors", "/log/checkpoint"])
      assert.ok(body.paths[path].get, path);
    assert.ok(
      Object.values<object>(body.paths).every((methods) => Object.keys(methods).every((method) => method === "get" || method === "head")),
    );
    const page = await fetchAt("/docs", undefined);
    const html = await page.text();
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.ok(html.includes("GET /v1/entries") && !/<script|https?:\/\//.test(html));
  });

  test("the commands make a token, serve with it, and revoke it", async () => {
    const cli = { cwd: own.folder, env: { ...process.env, ...own.environment } };
    const run = async (...args: readonly string[]) => {
      const { code, stdout } = await runDbgov(["audit", ...args, "--config", own.config, "--json"], cli);
      return { code, json: JSON.parse(stdout) };
    };
    const { json: made } = await run(
      "token",
      "create",
      "--auditor",
      "Smith",
      "--databases",
      "shop",
      "--kinds",
      "drilled",
      "--valid-for",
      "1d",
    );
    const server = spawn(launcher, ["audit", "serve", "--listen", "127.0.0.1:0", "--config", own.config, "--json"], cli);
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const scope = async () => await fetch(`${url}/v1/scope`, { headers: { authorization: `Bearer ${made.token}` } });
    const told = (await (await scope()).json()) as Record<string, unknown>;
    assert.deepEqual([told.auditor, told.databases, told.kinds, told.expiresAt], ["Smith", ["shop"], ["drilled"], made.expiresAt]);
    assert.deepEqual((await run("token", "revoke", made.id)).json, { id: made.id, revoked: true });
    assert.equal((await scope()).status, 401);
    const { json: listed } = await run("token", "list");
    assert.ok(listed.tokens.some(({ id, revokedAt }: { id: string; revokedAt: string | null }) => id === made.id && revokedAt !== null));
    server.kill("SIGTERM");
    assert.deepEqual(await once(server, "close"), [0, null]);
    for (const [args, code] of [
      [["token", "create", "--auditor", "x", "--databases", "nosuch"], 4],
      [["token", "create", "--auditor", "x", "--kinds", "nosuch"], 2],
      [["token", "create"], 2],
      [["token", "revoke", "at-00000000"], 4],
      [["serve", "--listen", "nonsense"], 2],
    ] as const) {
      assert.equal((await run(...args)).code, code, args.join(" "));
    }
  });

  test("a token that asks too much is held off, and the others are not", async () => {
    const slow = await serve(3);
    const at = async (token: string) =>
      await fetch(`http://127.0.0.1:${slow.port}/v1/scope`, { headers: { authorization: `Bearer ${token}` } });
    const statuses = [];
    for (let times = 0; times < 4; times++) statuses.push((await at(all)).status);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.match(JSON.stringify(await (await at(all)).json()), /3 requests a minute/);
    assert.equal((await at(shopOnly)).status, 200);
    await slow.close();
  });

  test("what auditors asked is logged when the server stops: token ids and counts, once", async () => {
    await serving.close();
    const { site } = own;
    const log = await openLog({ store: await site.store("local"), origin: site.loaded.config.log.origin, signer: await site.logSigner() });
    const summaries = [];
    for await (const { entry } of log.entries()) if (entry.kind === "access-summarized") summaries.push(entry);
    const ids = (await listAuditTokens(await site.catalog())).map(({ id }) => id);
    const counts = summaries.flatMap((entry) => entry.counts);
    assert.ok(counts.length > 0 && counts.every(({ token }) => ids.includes(token)));
    assert.ok(counts.some(({ route, requests }) => route === hashOf("GET /v1/entries/:index") && requests >= 3));
    serving = await serve();
    await serving.close();
    const again = await openLog({ store: await site.store("local"), origin: log.origin, signer: await site.logSigner() });
    assert.equal(again.size, log.size, "nothing was asked since, so nothing is logged");
    assert.deepEqual(notes, []);
    serving = await serve();
  });
});
