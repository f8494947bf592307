import { Failure } from "../../domain/failure.ts";

/** Whole BSON documents, one after another. */
export interface DocumentBatch {
  readonly bytes: Buffer;
  readonly documents: number;
}

export interface BatchLimits {
  /** A batch closes before it exceeds this, unless one document alone does. */
  readonly bytes: number;
  readonly documents: number;
}

// No server takes or gives a document near this size; a length beyond it means that the bytes are no documents.
const largestDocument = 64 << 20;

const broken = (what: string): Failure => new Failure("RestoreFailed", `The snapshot's content of a MongoDB collection ${what}.`);

/** Cuts a run of documents, which comes in blocks that end anywhere, into batches. Blocks are copied; a batch is the taker's to keep. */
export async function* documentBatches(content: AsyncIterable<Uint8Array>, limits: BatchLimits): AsyncGenerator<DocumentBatch, void> {
  let buffer: Buffer = Buffer.allocUnsafe(limits.bytes);
  let filled = 0;
  let whole = 0; // bytes of complete documents
  let documents = 0;
  const take = (): DocumentBatch => {
    const batch = { bytes: buffer.subarray(0, whole), documents };
    const rest = buffer.subarray(whole, filled);
    buffer = Buffer.allocUnsafe(limits.bytes);
    if (rest.length > buffer.length) throw broken("cannot be cut into documents");
    rest.copy(buffer);
    filled = rest.length;
    whole = 0;
    documents = 0;
    return batch;
  };
  for await (const block of content) {
    let offset = 0;
    while (offset < block.length) {
      if (filled === buffer.length) {
        if (whole > 0) yield take();
        else buffer = grown(buffer, lengthAt(buffer, 0));
      }
      const copied = Math.min(block.length - offset, buffer.length - filled);
      buffer.set(block.subarray(offset, offset + copied), filled);
      filled += copied;
      offset += copied;
      while (filled - whole >= 4) {
        const length = lengthAt(buffer, whole);
        if (length > filled - whole) break;
        if (buffer[whole + length - 1] !== 0) throw broken("holds a document that does not end as one");
        whole += length;
        documents += 1;
        if (documents >= limits.documents) yield take();
      }
    }
  }
  if (filled > whole) throw broken("ends in the middle of a document");
  if (whole > 0) yield take();
}

function lengthAt(buffer: Buffer, at: number): number {
  const length = buffer.readInt32LE(at);
  if (length < 5 || length > largestDocument) throw broken("is no run of BSON documents");
  return length;
}

function grown(buffer: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  buffer.copy(larger);
  return larger;
}

/** Each document's bytes. */
export function* documentsIn({ bytes }: DocumentBatch): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
