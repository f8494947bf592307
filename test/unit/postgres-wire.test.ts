import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createCopyParser } from "../../core/databases/postgres/copy-out.ts";
import { createMessageReader, message, messageTypes, parseError } from "../../core/databases/postgres/wire.ts";

const notice = 0x4e;
const commandComplete = 0x43;

/** The bytes cut at arbitrary places. */
const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
};

const errorBody = (fields: Record<string, string>): Buffer =>
  Buffer.from(
    `${Object.entries(fields)
      .map(([type, text]) => `${type}${text}\0`)
      .join("")}\0`,
    "utf8",
  );

describe("COPY data from the wire", () => {
  it("gives the rows' bytes, wherever messages are cut and whatever comes between them", () => {
    const part = fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 300 }).map((body) => ({ type: messageTypes.copyData as number, body })) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((body) => ({ type: notice, body })) },
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.array(fc.nat(), { maxLength: 40 }), (parts, cuts) => {
        const bytes = Buffer.concat([
          message(0x48, Buffer.alloc(7)),
          ...parts.map(({ type, body }) => message(type, body)),
          message(messageTypes.copyDone, Buffer.alloc(0)),
          message(commandComplete, Buffer.from("COPY 1\0")),
        ]);
        const parser = createCopyParser();
        const payloads = cutAt(bytes, cuts).map((chunk) => Buffer.from(chunk.subarray(0, parser.squeeze(chunk))));
        assert.equal(parser.ready, false);
        parser.squeeze(message(messageTypes.readyForQuery, Buffer.from("I")));
        assert.equal(parser.ready, true);
        assert.equal(parser.error, undefined);
        const expected = Buffer.concat(parts.filter(({ type }) => type === messageTypes.copyData).map(({ body }) => body));
        assert.ok(Buffer.concat(payloads).equals(expected));
      }),
    );
  });

  it("keeps the first error, and what came before it", () => {
    const parser = createCopyParser();
    const bytes = Buffer.concat([
      message(messageTypes.copyData, Buffer.from("1\n")),
      message(messageTypes.error, errorBody({ S: "FEHLER", V: "ERROR", C: "57014", M: "canceling statement" })),
    ]);
    assert.equal(parser.squeeze(bytes), 2);
    assert.equal(parser.error?.code, "57014");
    assert.equal(parser.error?.message, "canceling statement");
    assert.equal(parser.ready, false);
  });
});

describe("other messages from the wire", () => {
  it("are put together wherever they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (bodies, cuts) => {
        const seen: Buffer[] = [];
        const read = createMessageReader((_, body) => seen.push(Buffer.from(body)));
        for (const chunk of cutAt(Buffer.concat(bodies.map((body) => message(notice, body))), cuts)) read(chunk);
        assert.deepEqual(
          seen.map((body) => body.toString("hex")),
          bodies.map((body) => Buffer.from(body).toString("hex")),
        );
      }),
    );
  });

  it("survive an ErrorResponse that is cut off", () => {
    const whole = errorBody({ V: "FATAL", C: "57P01", M: "terminating" });
    for (let size = 0; size <= whole.length; size += 1) assert.ok(parseError(whole.subarray(0, size)) instanceof Error);
    assert.equal(parseError(whole).severity, "FATAL");
  });
});
