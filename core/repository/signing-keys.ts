/** An Ed25519 public key (32 bytes) whose signature on manifests is believed; one with `until` (ISO 8601, UTC) only on those of snapshots that were begun by then. */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  readonly until?: string;
}

/**
 * Those that may have signed the manifest of `snapshot`, whose id says when it was begun. Whoever signs chooses the id: against a date that is forged, too, stands
 * the manifest's hash in catalog and log.
 */
export const signingKeysFor = (snapshot: string, keys: readonly SigningKey[]): Uint8Array[] => {
  const begun = snapshot.slice(0, "20261124T021500Z".length);
  return keys.filter(({ until }) => until === undefined || begun <= compact(until)).map(({ publicKey }) => publicKey);
};

/** As ids of snapshots have it. */
const compact = (time: string): string => time.replace(/[-:]|\.\d+/g, "");
