import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { hashAuditToken, makeAuditToken } from "../../client/http/audit-token.ts";
import { serveAuditApi } from "../../client/http/serve-audit-api.ts";
import { recordAuditToken } from "../../core/catalog/audit-tokens.ts";
import { openLog } from "../../core/ledger/log.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { sealedDraft } from "../unit/ledger-fixtures.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";
import { type AuditSite, createAuditSite } from "./audit-site.ts";

const day = (number: number): string => `2026-11-${String(number).padStart(2, "0")}T02:15:00.000Z`;

describe("an auditor's query", () => {
  let own: AuditSite;
  let serving: Awaited<ReturnType<typeof serveAuditApi>>;
  let proxy: Server;
  let folder: string;
  let token: string;
  /** What the proxy makes of an answer of the API: its path and body. */
  // biome-ignore lint/suspicious/noExplicitAny: a liar changes anything.
  let lie: (path: string, body: any) => any = (_, body) => body;

  before(async () => {
    own = await createAuditSite(["shop", "crm"]);
    folder = await mkdtemp(join(tmpdir(), "dbgov-auditor-"));
    await own.log("shop", day(1), day(2), day(3));
    await own.log("crm", day(2), day(4));
    await own.log(null, day(5));
    serving = await serveAuditApi(own.site, { host: "127.0.0.1", port: 0, perMinute: 10_000, onNote: () => {} });
    const made = makeAuditToken();
    token = made.token;
    const times = { createdAt: new Date(), expiresAt: new Date(Date.now() + 600_000) };
    const scope = { databases: null, kinds: null };
    await recordAuditToken(await own.site.catalog(), { id: made.id, auditor: "tests", hash: hashAuditToken(token), ...scope, ...times });
    await writeFile(join(folder, "trust.json"), JSON.stringify(await own.trust()));
    proxy = createServer((request, response) => {
      const forward = async (): Promise<void> => {
        const { authorization = "" } = request.headers;
        const answer = await fetch(`http://127.0.0.1:${serving.port}${request.url}`, { headers: { authorization } });
        const honest = await answer.json();
        const body = lie(request.url ?? "", honest);
        response
          .writeHead(body === honest ? answer.status : 200, { "content-type": "application/json" })
          .end(typeof body === "string" ? body : JSON.stringify(body));
      };
      forward().catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    proxy?.close();
    await serving?.close();
    await own?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const query = async (known: string, ...args: readonly string[]) => {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { code, stdout } = await runDbgov(
      ["audit", "query", url, "--trust", "trust.json", "--token-env", "TOKEN", "--known", join(folder, known), "--json", ...args],
      { cwd: folder, env: { ...process.env, TOKEN: token } },
    );
    const json = JSON.parse(stdout);
    return {
      code,
      json,
      told: (json.failures ?? []).map(({ part, reason }: { part: string; reason: string }) => `${part} ${reason}`).join("\n"),
    };
  };
  const indexes = (json: { entries: { index: number }[] }): number[] => json.entries.map(({ index }) => index);

  test("verifies what it is told, remembers the checkpoint, and asks the next one to extend it", async () => {
    const first = await query("known.json");
    assert.deepEqual([first.code, first.json.complete, first.json.known, indexes(first.json)], [0, true, null, [0, 1, 2, 3, 4, 5]]);
    const crm = await query("known.json", "--database", "crm", "--since", "2026-11-03");
    assert.deepEqual([crm.code, crm.json.complete, crm.json.known.size, indexes(crm.json)], [0, false, 6, [4]]);
    await own.log("shop", day(6));
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // the API's view is a second old at most
    const grown = await query("known.json", "--database", "shop");
    assert.deepEqual([grown.code, grown.json.known.size, grown.json.checkpoint.size, indexes(grown.json)], [0, 6, 7, [0, 1, 2, 6]]);
  });

  test("an API that lies is caught, whatever it changes", async () => {
    // biome-ignore lint/suspicious/noExplicitAny: a liar changes anything.
    const page = (change: (body: any) => void) => (path: string, body: any) => {
      if (path.startsWith("/v1/entries")) change(body);
      return body;
    };
    // biome-ignore lint/suspicious/noExplicitAny: a liar changes anything.
    const lies: [string, RegExp, (body: any) => void][] = [
      ["an entry is altered", /entries\[1\]\.inclusion does not lead/, ({ entries }) => (entries[1].entry.seconds = 9)],
      ["an entry is left out", /leap from 1 to 3/, ({ entries }) => entries.splice(1, 1)],
      ["an entry is shown as another", /\.inclusion does not lead|not in the log's order/, ({ entries }) => (entries[2].index = 1)],
      ["the order is changed", /not in the log's order/, ({ entries }) => entries.reverse()],
      ["a database has another name", /does not open the entry's commitment/, ({ entries }) => (entries[0].database.name = "hr")],
      [
        "the checkpoint's size is altered",
        /carries no valid signature/,
        (body) => (body.checkpoint = body.checkpoint.replace("\n7\n", "\n8\n")),
      ],
      ["an unknown field is added", /is not a known field/, ({ entries }) => (entries[0].note = "believe me")],
      ["the pages never end", /next does not lead on/, (body) => (body.next = 0)],
    ];
    for (const [what, words, change] of lies) {
      lie = page(change);
      const before = await readFile(join(folder, "known.json"), "utf8");
      const { code, told } = await query("known.json");
      assert.equal(code, 5, what);
      assert.match(told, words, what);
      assert.equal(await readFile(join(folder, "known.json"), "utf8"), before, "nothing of it is remembered");
    }
    lie = (_, body) => body;
  });

  test("a log that is forked, or taken back, under the same key is caught by who has seen another, and the notes are kept as evidence", async () => {
    const { origin } = own.site.loaded.config.log;
    const fork = await openLog({ store: memoryStore(), origin, signer: await own.site.logSigner() });
    await fork.append(Array.from({ length: 9 }, (_, number) => sealedDraft(number)));
    const shown = async (size: number) => {
      const entries = [];
      for await (const { index, entry } of fork.entries(0, size))
        entries.push({ index, entry, inclusion: (await fork.inclusionProof(index, size)).map(toHex) });
      return { checkpoint: (await fork.checkpointAt(size)).note, entries, next: null };
    };
    const [longer, shorter] = [await shown(9), await shown(3)];
    const proof = (await fork.consistencyProof(7, 9)).map(toHex);
    lie = (path) => (path.startsWith("/v1/consistency") ? { from: 7, to: 9, proof } : longer);
    const forked = await query("known.json");
    assert.equal(forked.code, 5);
    assert.match(forked.told, /was rewritten, or there are two/);
    assert.deepEqual([forked.json.notes.shown, forked.json.entries], [longer.checkpoint, []]);
    assert.ok(forked.json.notes.known.startsWith(`${origin}\n7\n`));
    lie = (path, body) => (path.startsWith("/v1/consistency") ? body : longer);
    assert.match((await query("known.json")).told, /consistency is not shown between size 7/);
    lie = (path) => (path.startsWith("/v1/consistency") ? { from: 7, to: 9, proof } : longer);
    // Who has seen nothing before cannot know.
    assert.equal((await query("nothing-known.json")).code, 0);
    lie = () => shorter;
    assert.match((await query("known.json")).told, /entries were taken back/);
    lie = (_, body) => body;
    assert.equal((await query("known.json")).code, 0, "the honest answer still holds");
    // A memory that cannot be read is not taken for none.
    await writeFile(join(folder, "broken.json"), "{");
    assert.equal((await query("broken.json")).json.error.type, "UsageInvalid");
  });

  test("an API that answers nothing of use, and a token that is refused, are told so", async () => {
    lie = () => "<html>";
    assert.equal((await query("known.json")).json.error.type, "AuditUnreachable");
    lie = (_, body) => body;
    const good = token;
    token = makeAuditToken().token;
    const refused = await query("known.json");
    assert.deepEqual([refused.code, refused.json.error.type], [1, "TokenRejected"]);
    token = "x";
    assert.equal((await query("known.json")).json.error.type, "UsageInvalid");
    token = good;
    const plain = await runDbgov(
      ["audit", "query", "http://audit.example.com", "--trust", "trust.json", "--token-env", "TOKEN", "--json"],
      {
        cwd: folder,
        env: { ...process.env, TOKEN: token },
      },
    );
    assert.match(JSON.parse(plain.stdout).error.message, /must start with https/);
  });
});
