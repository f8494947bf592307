import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allChecks } from "../../core/compliance/checks/all-checks.ts";
import { majorOf } from "../../core/compliance/checks/postgres/version.ts";
import { sizeVerdict } from "../../core/compliance/checks/size-verdict.ts";
import { versionVerdict } from "../../core/compliance/checks/version-verdict.ts";
import { describeReadFailure } from "../../core/compliance/reason-of-error.ts";
import { bareUrl } from "../../core/compliance/sessions/mongodb-url.ts";
import { mongodbSupport, postgresSupport } from "../../core/compliance/support-dates.ts";
import { withTimeLimit } from "../../core/compliance/time-limit.ts";

describe("support of versions", () => {
  it("lasts through the last day", () => {
    const at = (time: string) => versionVerdict("PostgreSQL", "14", postgresSupport, new Date(time), null).result;
    assert.equal(at("2026-11-12T23:59:00Z"), "pass");
    assert.equal(at("2026-11-13T00:00:00Z"), "fail");
  });

  it("is inconclusive for what is not listed or not said", () => {
    assert.equal(versionVerdict("PostgreSQL", "99", postgresSupport, new Date(0), null).result, "inconclusive");
    assert.equal(versionVerdict("MongoDB", "8.3", mongodbSupport, new Date(0), null).result, "inconclusive");
  });

  it("knows PostgreSQL's two ways of numbering", () => {
    assert.equal(majorOf(180_006), "18");
    assert.equal(majorOf(90_624), "9.6");
  });
});

describe("room in a plan", () => {
  it("ends at 85 percent", () => {
    assert.equal(sizeVerdict(849, 1_000, null).result, "pass");
    assert.equal(sizeVerdict(850, 1_000, null).result, "fail");
    assert.match(sizeVerdict(849, 1_000, null).reason, /^The database fills 84 % of the 1000 bytes/);
  });
});

describe("an attempt without credentials", () => {
  const without = (url: string, plaintext = false) => bareUrl(url, { plaintext });

  it("keeps hosts and options, and drops user, password and how to authenticate", () => {
    assert.equal(
      without("mongodb://u:p%40w@a:1,b:2/shop?authSource=admin&replicaSet=rs0&authMechanism=SCRAM-SHA-256&tls=true"),
      "mongodb://a:1,b:2/?replicaSet=rs0&tls=true",
    );
    assert.equal(without("mongodb+srv://u:p@cluster.example"), "mongodb+srv://cluster.example/");
    assert.equal(without("mongodb://host?tls=true"), "mongodb://host/?tls=true");
  });

  it("can leave TLS off", () => {
    assert.equal(
      without("mongodb://a/?tls=true&tlsCAFile=%2Fx.pem&directConnection=true", true),
      "mongodb://a/?directConnection=true&tls=false",
    );
    assert.equal(without("mongodb+srv://cluster.example/x", true), "mongodb+srv://cluster.example/?tls=false");
  });
});

describe("words for errors", () => {
  it("never repeats a message", () => {
    const error = Object.assign(new Error("postgres://u:secret@host"), { code: "XX999" });
    assert.ok(!JSON.stringify(describeReadFailure(error)).includes("secret"));
    assert.equal(describeReadFailure(error).kind, "other");
    assert.equal(
      describeReadFailure(Object.assign(new Error(), { code: "SELF_SIGNED_CERT_IN_CHAIN" })).words,
      "the TLS connection could not be established",
    );
    assert.equal(describeReadFailure(new AggregateError([Object.assign(new Error(), { code: "ECONNREFUSED" })])).kind, "unreachable");
    assert.equal(describeReadFailure("text").code, "unknown");
  });
});

describe("a time limit", () => {
  const forever = () => new Promise<never>(() => {});

  it("ends what does not end, and tells it so", async () => {
    let told: AbortSignal | undefined;
    const limited = await withTimeLimit(10, new AbortController().signal, (signal) => {
      told = signal;
      return forever();
    });
    assert.deepEqual(limited, { outcome: "timed-out" });
    assert.equal(told?.aborted, true);
  });

  it("passes on what is done and what fails", async () => {
    const signal = new AbortController().signal;
    assert.deepEqual(await withTimeLimit(1_000, signal, async () => 7), { outcome: "done", value: 7 });
    await assert.rejects(
      withTimeLimit(1_000, signal, () => Promise.reject(new Error("broken"))),
      /broken/,
    );
  });

  it("stops with the signal's reason", async () => {
    const controller = new AbortController();
    const limited = withTimeLimit(10_000, controller.signal, forever);
    controller.abort(new Error("cancelled"));
    await assert.rejects(limited, /cancelled/);
    await assert.rejects(withTimeLimit(1, AbortSignal.abort(new Error("before")), forever), /before/);
  });
});

describe("a setting that the server does not show", () => {
  it("is nobody's pass", async () => {
    for (const id of [
      "postgres-tls-server",
      "postgres-password-encryption",
      "postgres-data-checksums",
      "postgres-log-connections",
      "postgres-log-statements",
    ]) {
      const check = allChecks.find((known) => known.id === id);
      assert.ok(check?.appliesTo === "postgres");
      const transport = { unixSocket: false, encrypted: true, certificateVerified: true, protocol: null, cipher: null };
      const session = { transport, query: async () => [], close: async () => undefined };
      const verdict = await check.run(session, { now: new Date(0), sizeLimitBytes: undefined }, new AbortController().signal);
      assert.equal(verdict.result, "inconclusive", id);
    }
  });
});
