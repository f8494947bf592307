import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Document, MongoClient } from "mongodb";
import { allChecks } from "../../core/compliance/checks/all-checks.ts";
import type { Finding, Result } from "../../core/compliance/finding.ts";
import { runSweep } from "../../core/compliance/sweep.ts";
import type { SweepReport } from "../../core/compliance/sweep-report.ts";
import { startTlsFront } from "../sample/tls-front.ts";
import { useStack } from "../stack/use-stack.ts";
import { emptyRecord } from "../unit/compliance-records.ts";
import { type Script, scriptedPeer } from "../unit/mongodb-scripted-peer.ts";

const sweep = (url: string, sizeLimitBytes?: number): Promise<SweepReport> =>
  runSweep({
    databases: [{ name: "shop", engine: "mongodb", url, ...(sizeLimitBytes === undefined ? {} : { sizeLimitBytes }) }],
    record: emptyRecord,
    now: new Date("2026-11-24T06:00:00Z"),
    frameworks: ["iso27001"],
    signal: new AbortController().signal,
  });

const resultsOf = ({ findings }: SweepReport): Record<string, Result> =>
  Object.fromEntries(findings.filter(({ check }) => check.startsWith("mongodb-")).map(({ check, result }) => [check, result]));
const findingOf = (report: SweepReport, check: string): Finding => report.findings.find((finding) => finding.check === check)!;
const every = (result: Result): Record<string, Result> =>
  Object.fromEntries(allChecks.filter(({ appliesTo }) => appliesTo === "mongodb").map(({ id }) => [id, result]));

describe("a sweep over the MongoDB wire server of the stack (FerretDB)", () => {
  it("finds it open and in the clear, and does not guess what it does not implement", async () => {
    const { mongodb } = await useStack("mongodb");
    const report = await sweep(mongodb.url);
    assert.deepEqual(resultsOf(report), {
      "mongodb-authentication": "fail",
      "mongodb-tls-connection": "fail",
      "mongodb-tls-required": "fail",
      "mongodb-root-users": "inconclusive",
      "mongodb-password-hashes": "inconclusive",
      "mongodb-backup-user": "not-applicable",
      "mongodb-version": "inconclusive",
      "mongodb-size": "not-applicable",
    });
    assert.match(findingOf(report, "mongodb-version").reason, /FerretDB/);
  });

  it("measures the database of the URL against its limit", async () => {
    const { mongodb } = await useStack("mongodb");
    const name = `sweep_${process.pid}`;
    const client = new MongoClient(mongodb.url);
    try {
      await client
        .db(name)
        .collection("items")
        .insertMany(Array.from({ length: 200 }, (_, index) => ({ index, text: "x".repeat(500) })));
      const url = new URL(mongodb.url);
      url.pathname = `/${name}`;
      assert.equal(resultsOf(await sweep(url.href, 50_000))["mongodb-size"], "fail");
      assert.equal(resultsOf(await sweep(url.href, 512e6))["mongodb-size"], "pass");
    } finally {
      await client.db(name).dropDatabase();
      await client.close();
    }
  });

  it("judges TLS at the client's end, and really tries without", async () => {
    const { mongodb } = await useStack("mongodb");
    const front = await startTlsFront("mongodb", new URL(mongodb.url));
    try {
      const url = `mongodb://127.0.0.1:${front.port}/?tls=true&directConnection=true`;
      const verified = await sweep(`${url}&tlsCAFile=${encodeURIComponent(front.authority)}`);
      assert.equal(resultsOf(verified)["mongodb-tls-connection"], "pass");
      assert.equal(resultsOf(verified)["mongodb-tls-required"], "pass");
      // The attempt without credentials keeps TLS, and so still gets in.
      assert.equal(resultsOf(verified)["mongodb-authentication"], "fail");
      const unverified = findingOf(await sweep(`${url}&tlsAllowInvalidCertificates=true`), "mongodb-tls-connection");
      assert.equal(unverified.result, "fail");
      assert.match(unverified.reason, /nobody checks/);
    } finally {
      await front.close();
    }
  });

  it("is inconclusive in everything when it cannot be reached, without telling the password", async () => {
    const report = await sweep("mongodb://boss:very-secret@127.0.0.1:1/?serverSelectionTimeoutMS=100");
    assert.deepEqual(resultsOf(report), every("inconclusive"));
    assert.ok(!JSON.stringify(report).includes("very-secret"));
    assert.deepEqual(resultsOf(await sweep("not a url")), every("inconclusive"));
  });
});

// No mongod can be had on every machine: what it answers is scripted here, in the forms that its manual gives.
const refused: Document = { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not authorized" };
const user = (name: string, role: string, mechanisms: string[]): Document => ({
  user: name,
  db: "admin",
  roles: [{ role, db: "admin" }],
  mechanisms,
});

const answers =
  (replies: Record<string, Document>): Script =>
  (_command, name) =>
    replies[name];

const judge = async (replies: Record<string, Document>): Promise<SweepReport> => {
  const peer = await scriptedPeer(answers(replies), "standalone");
  try {
    return await sweep(`${peer.url}?directConnection=true`);
  } finally {
    await peer.close();
  }
};

describe("a sweep over a mongod that answers as its manual says", () => {
  it("passes one that is set well", async () => {
    const found = resultsOf(
      await judge({
        listDatabases: refused,
        usersInfo: { users: [user("boss", "root", ["SCRAM-SHA-256"]), user("backup", "backup", ["SCRAM-SHA-256"])] },
        connectionStatus: {
          authInfo: { authenticatedUsers: [{ user: "backup", db: "admin" }], authenticatedUserRoles: [{ role: "backup", db: "admin" }] },
        },
        buildInfo: { version: "8.0.20" },
      }),
    );
    assert.deepEqual(found, {
      ...every("pass"),
      "mongodb-tls-connection": "fail",
      "mongodb-tls-required": "fail",
      "mongodb-size": "not-applicable",
    });
  });

  it("fails one that is set ill", async () => {
    const report = await judge({
      listDatabases: { databases: [{ name: "shop" }] },
      usersInfo: {
        users: [user("boss", "root", ["SCRAM-SHA-1", "SCRAM-SHA-256"]), user("second", "userAdminAnyDatabase", ["SCRAM-SHA-256"])],
      },
      connectionStatus: {
        authInfo: { authenticatedUsers: [{ user: "boss", db: "admin" }], authenticatedUserRoles: [{ role: "root", db: "admin" }] },
      },
      buildInfo: { version: "6.0.19" },
    });
    assert.deepEqual(resultsOf(report), { ...every("fail"), "mongodb-size": "not-applicable" });
    assert.match(findingOf(report, "mongodb-root-users").reason, /^2 of 2 users/);
    assert.match(findingOf(report, "mongodb-password-hashes").reason, /^1 of 2 passwords/);
    assert.match(findingOf(report, "mongodb-version").reason, /since 2025-07-31/);
  });

  it("is inconclusive where a right is missing, and says which", async () => {
    const report = await judge({ usersInfo: refused, connectionStatus: refused, buildInfo: { version: "12.0.1" } });
    for (const check of ["mongodb-root-users", "mongodb-password-hashes", "mongodb-backup-user", "mongodb-version"]) {
      assert.equal(findingOf(report, check).result, "inconclusive", check);
    }
    assert.match(findingOf(report, "mongodb-root-users").reason, /it takes the action viewUser/);
  });
});
