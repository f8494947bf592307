import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { generateRecipient, parseRecipient, parseRecipientSecret } from "../../core/repository/keys.ts";
import { openReport, sealReportTo } from "../../core/repository/sealed-report.ts";

const recipient = async (name: string) => {
  const { publicText, secretText } = await generateRecipient();
  return { public: parseRecipient(name, publicText), secret: await parseRecipientSecret(secretText) };
};

describe("a sealed report", () => {
  it("is opened by every recipient's key alone, and by no other", async () => {
    const [ops, auditor, stranger] = [await recipient("ops"), await recipient("auditor"), await recipient("stranger")];
    const report = Buffer.from(
      JSON.stringify({ findings: Array.from({ length: 200 }, (_, index) => ({ index, reason: "All is well." })) }),
    );
    const sealed = await sealReportTo("sweep-1", report, [ops.public, auditor.public]);
    assert.ok(!Buffer.from(sealed).toString().includes("All is well"));
    assert.ok(sealed.length < report.length);
    for (const { secret } of [ops, auditor]) assert.deepEqual(await openReport(sealed, secret), { id: "sweep-1", report });
    await assert.rejects(openReport(sealed, stranger.secret), (error) => isFailure(error, "WrongKey"));
  });

  it("that was altered, renamed or given other envelopes is refused", async () => {
    const { public: ops, secret } = await recipient("ops");
    const sealed = JSON.parse(Buffer.from(await sealReportTo("sweep-1", Buffer.from("{}"), [ops])).toString());
    const other = JSON.parse(Buffer.from(await sealReportTo("sweep-2", Buffer.from("{}"), [ops])).toString());
    const flipped = Buffer.from(sealed.content, "base64");
    flipped[30]! ^= 1;
    const canonical = (value: object): Buffer => Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(value).sort())));
    for (const wrong of [
      { ...sealed, content: flipped.toString("base64") },
      { ...sealed, id: "sweep-2" },
      { ...sealed, envelopes: other.envelopes },
      { ...sealed, content: other.content },
      { ...sealed, format: "dbgov-manifest" },
      { ...sealed, envelopes: undefined },
    ]) {
      await assert.rejects(openReport(canonical(wrong), secret), (error) => isFailure(error, "ObjectCorrupt"));
    }
    await assert.rejects(openReport(canonical({ ...sealed, version: 2 }), secret), (error) => isFailure(error, "FormatUnsupported"));
  });
});
