/** Where each kind of object lives in every store. See `docs/format.md`, "Objects". */

/** The repository's configuration, canonical JSON. */
export const configKey = "config";

/** A pack, by its id: SHA-256 of its bytes, 64 hex digits. */
export const packKey = (id: string): string => `packs/${id.slice(0, 2)}/${id}`;

/** A range, by its id: SHA-256 of its bytes, 64 hex digits. */
export const rangeKey = (id: string): string => `ranges/${id.slice(0, 2)}/${id}`;

/** A manifest, by its snapshot's id. */
export const manifestKey = (snapshot: string): string => `manifests/${snapshot}`;

/** All envelopes of one range (by its id) or one manifest (by its snapshot's id). */
export const envelopesKey = (objectId: string): string => `envelopes/${objectId}`;

export const parityPrefix = "parity/";

/** A piece of erasure-coded parity, by its id: SHA-256 of its bytes, 64 hex digits. */
export const parityKey = (id: string): string => `${parityPrefix}${id.slice(0, 2)}/${id}`;

/** A bad copy of the object of that key, kept for examination. */
export const quarantineKey = (key: string): string => `quarantine/${key}`;

/** A sweep's report, sealed, by its id. */
export const reportKey = (id: string): string => `reports/${id}`;

/** A key's kind, as `packs`, and the id that it ends with. */
export const partsOfKey = (key: string): { readonly kind: string; readonly id: string } => ({
  kind: key.slice(0, key.indexOf("/")),
  id: key.slice(key.lastIndexOf("/") + 1),
});

/** The SHA-256 of their bytes that packs, ranges and parity are named by; undefined for other objects. */
export const hashInName = (key: string): string | undefined => /^(?:packs|ranges|parity)\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key)?.[1];
