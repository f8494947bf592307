import { readFile } from "node:fs/promises";
import { cancellationSignal } from "@temporalio/activity";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { markAnchored } from "../../core/catalog/mark-anchored.ts";
import { latestTimestamp, recordTimestamp } from "../../core/catalog/timestamps.ts";
import { Failure } from "../../core/domain/failure.ts";
import { tokenKey } from "../../core/ledger/evidence-keys.ts";
import { requestTimestamp } from "../../core/ledger/rfc3161.ts";
import { type Certificate, readPemCertificates } from "../../core/ledger/verify/certificates.ts";
import { checkpointText } from "../../core/ledger/verify/checkpoint.ts";
import { fromHex } from "../../core/ledger/verify/hash.ts";
import { checkpointHash } from "../../core/ledger/verify/timestamp.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { archivesHeads, signalPublishing } from "./request-anchoring.ts";

export interface TimestampInput {
  readonly authority: string;
  /** Milliseconds between two tokens. */
  readonly everyMs: number;
  /**
   * Whether stamped heads go to the stores that policies archive to, where the activity does not say (those of older workers).
   * @default false
   */
  readonly archives?: boolean;
}

export interface Stamped {
  readonly size: number;
  readonly time: string;
  /** Whether this head goes to the archives, by the configuration as it is now. Workers of before did not say. */
  readonly archives?: boolean;
}

export const createStampCheckpoint = ({ site }: ActivityEnvironment) => ({
  /**
   * Has the log's published head time-stamped, and keeps the token beside the log once it is verified. Snapshots under it are `anchored` by
   * that where no chain is declared. Null when the head has a token already.
   */
  stampCheckpoint: async ({ authority }: { authority: string }): Promise<Stamped | null> => {
    const at = await site();
    const catalog = await at.catalog();
    const { log, anchors } = at.loaded.config;
    const head = await latestPublished(catalog, log.origin);
    const last = await latestTimestamp(catalog, authority);
    if (head === undefined || head.size <= (last?.size ?? 0)) return null;
    const { url, roots } = at.authority(authority);
    const hash = checkpointHash(checkpointText(log.origin, head.size, fromHex(head.root)));
    const { token, timestamp } = await requestTimestamp({ name: authority, url, roots: await readRoots(authority, roots) }, hash);
    const { size, root } = head;
    const { time, serial, policy } = timestamp;
    await (await at.store(log.store)).put(tokenKey(size, authority), token, cancellationSignal());
    await recordTimestamp(catalog, { authority, size, root, token, time });
    if (anchors.length === 0) await markAnchored(catalog, size, { authority, size, root, time, serial, policy }, new Date());
    await signalPublishing(at);
    return { size, time, archives: archivesHeads(at, authority) };
  },
});

const readRoots = async (authority: string, path: string): Promise<Certificate[]> => {
  try {
    const roots = readPemCertificates(await readFile(path, "utf8"));
    if (roots.length > 0) return roots;
  } catch (cause) {
    throw new Failure("ConfigurationInvalid", `the root certificates of time-stamping authority ${authority} in ${path} cannot be read`, {
      cause,
    });
  }
  throw new Failure(
    "ConfigurationInvalid",
    `${path} has no certificate, so no token of time-stamping authority ${authority} could be believed`,
  );
};
