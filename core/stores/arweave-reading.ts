import { createHash } from "node:crypto";
import { Failure, isFailure } from "../domain/failure.ts";
import { type BundleItem, readBundle } from "./arweave-bundle.ts";
import { type GatewayCall, transactionData } from "./arweave-gateway.ts";
import { type ArweaveObject, type BundledObjects, objectOf } from "./arweave-objects.ts";
import { addressOfKey, isSignedBy } from "./arweave-wallet.ts";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** An empty object travels as one zero byte: a transaction cannot be without data. Its tags tell the size. */
export const payloadOf = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? new Uint8Array(1) : bytes);

/** The object's bytes in what a gateway served for it. `ObjectCorrupt` for others. */
export const checkBytes = (where: string, object: ArweaveObject, data: Uint8Array): Uint8Array => {
  const bytes = object.bytes === 0 && data.length === 1 ? new Uint8Array() : data;
  if (bytes.length !== object.bytes || sha256(bytes) !== object.sha256) {
    const what = `${where}: the gateway serves other bytes for ${object.key} (transaction ${object.carrier}) than were stored`;
    throw new Failure("ObjectCorrupt", what);
  }
  return bytes;
};

/** The tags that tell the bytes' hash are the gateway's word, unless the wallet has signed them. */
const checkSigned = async (where: string, arweave: GatewayCall, owner: string, object: ArweaveObject): Promise<void> => {
  const { status, data } = await arweave.api.get<Record<string, unknown>>(`tx/${object.id}`);
  // Until a block holds it, gateways need not show it.
  if (object.pending && status !== 200) return;
  if (status !== 200)
    throw new Failure("StoreUnreachable", `${where}: the gateway does not show the transaction ${object.id}, which it lists`);
  const lie = (why: string): Failure =>
    new Failure("ObjectCorrupt", `${where}: the gateway's transaction ${object.id} for ${object.key} ${why}`);
  const transaction = arweave.transactions.fromRaw(data);
  const address = addressOfKey(transaction.owner);
  if (transaction.id !== object.id || address !== owner) throw lie("is another, or another wallet's");
  const signature = Buffer.from(transaction.signature, "base64url");
  const isNamed = createHash("sha256").update(signature).digest("base64url") === transaction.id;
  if (!isNamed || !isSignedBy(transaction.owner, await transaction.getSignatureData(), signature)) throw lie("is not signed by the wallet");
  const tags = transaction.tags.map((tag) => ({
    name: tag.get("name", { decode: true, string: true }),
    value: tag.get("value", { decode: true, string: true }),
  }));
  const signed = objectOf(tags, object);
  if (signed?.sha256 !== object.sha256 || signed.key !== object.key || signed.version !== object.version) {
    throw lie("was signed with other tags than the gateway lists");
  }
};

/** The object's bytes, checked against what the wallet signed. Undefined while the gateway does not serve them. */
export const readObject = async (
  where: string,
  arweave: GatewayCall,
  owner: string,
  object: ArweaveObject,
): Promise<Uint8Array | undefined> => {
  const data = await transactionData(arweave, object.carrier);
  if (data === undefined) return undefined;
  if (object.carrier === object.id) {
    await checkSigned(where, arweave, owner, object);
    return checkBytes(where, object, data);
  }
  const items = readBundle(Buffer.from(data));
  const item = items.find(({ id, owner: key }) => id === object.id && addressOfKey(key) === owner);
  if (item === undefined)
    throw new Failure("ObjectCorrupt", `${where}: the gateway's bundle ${object.carrier} does not have ${object.key}`);
  return checkBytes(where, object, item.data);
};

const itemsIn = (data: Buffer): BundleItem[] | undefined => {
  try {
    return readBundle(data);
  } catch (error) {
    if (isFailure(error, "ObjectCorrupt")) return undefined;
    throw error;
  }
};

/** Reads each bundle once. One that a gateway does not serve yet is left for the next time; one that is no bundle is passed over. */
export const createBundledObjects = (owner: string): BundledObjects => {
  const read = new Map<string, readonly ArweaveObject[]>();
  return async (arweave, bundles) => {
    const found: ArweaveObject[] = [];
    for (const { id, pending } of bundles) {
      if (!read.has(id)) {
        const data = await transactionData(arweave, id);
        const items = data === undefined ? undefined : itemsIn(Buffer.from(data));
        if (items === undefined) continue;
        const ours = items.filter(({ owner: key }) => addressOfKey(key) === owner);
        const objects = ours.flatMap(({ id: item, tags }) => {
          const object = objectOf(
            tags.map(([name, value]) => ({ name, value })),
            { id: item, carrier: id, pending },
          );
          return object === undefined ? [] : [object];
        });
        read.set(id, objects);
      }
      found.push(...read.get(id)!.map((object) => ({ ...object, pending })));
    }
    return found;
  };
};
