import { BSON, type Document } from "mongodb";

const leafOptions = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const;

/** A BSON value with every number's type kept and documents as Maps, since a JavaScript object would move keys like "10" to the front. */
type OrderedValue = unknown;
type OrderedDocument = Map<string, OrderedValue>;

/** Reads a document so that `BSON.serialize` gives the very bytes back (as far as keys are not repeated). */
export function orderedDocument(bytes: Uint8Array, offset = 0): OrderedDocument {
  const document: OrderedDocument = new Map();
  for (const [name, value] of orderedElements(bytes, offset)) document.set(name, value);
  return document;
}

function* orderedElements(bytes: Uint8Array, offset: number): Generator<[string, OrderedValue]> {
  for (const [type, nameOffset, nameLength, valueOffset, length] of BSON.onDemand.parseToElements(bytes, offset)) {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + nameOffset, nameLength).toString("utf8");
    if (type === 0x03) yield [name, orderedDocument(bytes, valueOffset)];
    else if (type === 0x04) yield [name, [...orderedElements(bytes, valueOffset)].map(([, value]) => value)];
    else yield [name, leaf(type, bytes.subarray(valueOffset, valueOffset + length))];
  }
}

/** The value of one element that is neither document nor array. */
function leaf(type: number, value: Uint8Array): OrderedValue {
  const wrapped = Buffer.alloc(4 + 3 + value.length + 1);
  wrapped.writeInt32LE(wrapped.length, 0);
  wrapped[4] = type;
  wrapped[5] = 0x76; // the element's name, "v"
  wrapped.set(value, 7);
  return (BSON.deserialize(wrapped, leafOptions) as { v: unknown }).v;
}

/** The `_id` of a document in its bytes; undefined when it has none. */
export function idOf(document: Uint8Array): OrderedValue {
  for (const [type, nameOffset, nameLength, valueOffset, length] of BSON.onDemand.parseToElements(document, 0)) {
    if (nameLength !== 3 || document[nameOffset] !== 0x5f || document[nameOffset + 1] !== 0x69 || document[nameOffset + 2] !== 0x64)
      continue;
    if (type === 0x03) return orderedDocument(document, valueOffset);
    if (type === 0x04) return [...orderedElements(document, valueOffset)].map(([, value]) => value);
    return leaf(type, document.subarray(valueOffset, valueOffset + length));
  }
  return undefined;
}

/** As JavaScript objects, with every number's type kept. */
export const typedDocument = (bytes: Uint8Array): Document => BSON.deserialize(bytes, leafOptions);

/** The bytes of the element of that name at the top of a document. */
export function elementOf(document: Uint8Array, name: string): Uint8Array | undefined {
  const wanted = Buffer.from(name);
  for (const [, nameOffset, nameLength, valueOffset, length] of BSON.onDemand.parseToElements(document, 0))
    if (nameLength === wanted.length && wanted.equals(document.subarray(nameOffset, nameOffset + nameLength)))
      return document.subarray(valueOffset, valueOffset + length);
  return undefined;
}
