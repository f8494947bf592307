import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Failure } from "../domain/failure.ts";
import { canonicalBytes, decodeBase64, encodeBase64, parseCanonical } from "./canonical-json.ts";
import { checkEnvelope, unwrapKey, wrapKey } from "./envelopes.ts";
import type { Recipient, RecipientSecret } from "./keys.ts";
import { refuseNewer } from "./repository-config.ts";
import { seal, unseal } from "./sealing.ts";

const version = 1;
/** Far more than a report is; what is larger was not made here. */
const largestReport = 64 << 20;
const contentAad = (id: string): Buffer => Buffer.from(`dbgov-1/report\0${id}`, "utf8");

/**
 * A sweep's report, sealed to the recipients. Its envelopes are in it, unlike a snapshot's: it is there to be read in a hundred years by
 * who has a recipient's key and nothing else, and nobody ever wants it deleted.
 */
export const sealReportTo = async (id: string, report: Uint8Array, recipients: readonly Recipient[]): Promise<Uint8Array> => {
  const key = randomBytes(32);
  const packed = zstdCompressSync(report, { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  const content = encodeBase64(seal(key, contentAad(id), packed));
  const envelopes = await wrapKey("report", id, key, recipients);
  key.fill(0);
  return new Uint8Array(canonicalBytes({ format: "dbgov-sealed-report", version, id, content, envelopes }));
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. That it is the report that was logged, its hash in the log says. */
export const openReport = async (bytes: Uint8Array, secret: RecipientSecret): Promise<{ id: string; report: Buffer }> => {
  const { format, version: found, id, content, envelopes } = parseCanonical(bytes, "a sealed report");
  const what = `report ${typeof id === "string" ? id : "without an id"}`;
  if (format !== "dbgov-sealed-report") throw new Failure("ObjectCorrupt", `${what} is not a sealed report of dbgov`);
  refuseNewer(found, what);
  const sealed = decodeBase64(content);
  if (typeof id !== "string" || sealed === undefined || !Array.isArray(envelopes))
    throw new Failure("ObjectCorrupt", `${what} lacks a part`);
  const checked = envelopes.map((envelope) => checkEnvelope(envelope, what));
  if (checked.some(({ kind, object }) => kind !== "report" || object !== id)) {
    throw new Failure("ObjectCorrupt", `${what} has an envelope of another object`);
  }
  const packed = unseal(await unwrapKey(checked, secret), contentAad(id), sealed);
  if (packed === undefined) throw new Failure("ObjectCorrupt", `${what} does not open with the key of its envelope: it was altered`);
  return { id, report: zstdDecompressSync(packed, { maxOutputLength: largestReport }) };
};
