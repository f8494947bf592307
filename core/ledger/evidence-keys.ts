/** Where the log's store keeps what attests its checkpoints from outside, so that it outlives chains' nodes and the catalog. */

export const evidencePrefix = "log/evidence/";

/** The evidence of a chain, JSON as a bundle has it (`anchors[]`). */
export const chainEvidenceKey = (size: number, anchor: string): string => `${evidencePrefix}${size}/${anchor}.json`;

/** A token of a time-stamping authority (RFC 3161, DER) for the checkpoint's text. */
export const tokenKey = (size: number, authority: string): string => `${evidencePrefix}${size}/${authority}.tst`;

/** The note as it was published at that size, with its cosignatures. */
export const publishedNoteKey = (size: number): string => `${evidencePrefix}${size}/checkpoint`;
