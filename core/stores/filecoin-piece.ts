import { setImmediate as turn } from "node:timers/promises";
import { Failure } from "../domain/failure.ts";
import type { FilecoinCall } from "./filecoin-chain.ts";
import type { Copy } from "./filecoin-index.ts";
import type { FilecoinSdk } from "./filecoin-sdk.ts";
import { failureOfConnection, failureOfStatus } from "./http-failure.ts";
import type { ByteRange } from "./store.ts";
import { collect } from "./transfer.ts";

export type PieceCid = ReturnType<FilecoinSdk["pieces"]["calculate"]>;

/** The network takes nothing smaller: shorter objects are filled up with zeros. */
const smallestPiece = 127;

export const payloadOf = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length >= smallestPiece) return bytes;
  const payload = new Uint8Array(smallestPiece);
  payload.set(bytes);
  return payload;
};

const stepBytes = 64 * 1024;

/** The piece commitment (CommP) of `payload`. It takes some 70 ms for each MiB, so others get a turn between. */
export const commitmentOf = async (call: FilecoinCall, payload: Uint8Array): Promise<PieceCid> =>
  call.sdk.pieces.calculateFromIterable(
    (async function* () {
      for (let offset = 0; offset < payload.length; offset += stepBytes) {
        yield payload.subarray(offset, offset + stepBytes);
        call.progressed();
        await turn();
        call.signal.throwIfAborted();
      }
    })(),
  );

/** `range` of the object, or all of it and then checked against its commitment, from the provider of `copy`. */
export const fetchCopy = async (call: FilecoinCall, what: string, copy: Copy, range: ByteRange | undefined): Promise<Uint8Array> => {
  const { dataSet, cid, record } = copy;
  const provider = `${what} from provider ${dataSet.providerId} (${new URL(dataSet.serviceUrl).origin})`;
  const whole = Math.max(record.bytes, smallestPiece);
  const { offset, length } = range ?? { offset: 0, length: whole };
  if (length === 0) return new Uint8Array();
  const headers = range === undefined ? {} : { range: `bytes=${offset}-${offset + length - 1}` };
  const answer = await fetch(new URL(`piece/${cid}`, dataSet.serviceUrl), { headers, signal: call.signal }).catch((error: unknown) => {
    throw call.signal.aborted ? error : failureOfConnection(provider, error);
  });
  call.progressed();
  if (answer.status === 404 || answer.status === 410) {
    await answer.body?.cancel();
    throw new Failure("ObjectMissing", `${provider}: the provider is paid for the piece ${cid} and does not have it`);
  }
  if (!answer.ok || answer.body === null) throw failureOfStatus(provider, answer.status, "", undefined);
  // A provider may answer with the whole, whatever was asked for.
  const isRange = answer.status === 206;
  const expected = isRange ? length : whole;
  const body = await collect(provider, answer.body, expected, call.progressed).catch((error: unknown) => {
    throw call.signal.aborted || error instanceof Failure ? error : failureOfConnection(provider, error);
  });
  if (range !== undefined) return isRange ? body : body.subarray(offset, offset + length);
  if ((await commitmentOf(call, body)).toString() !== cid) {
    throw new Failure("ObjectCorrupt", `${provider}: the provider serves other bytes than those of the piece ${cid}`);
  }
  return body.subarray(0, record.bytes);
};
