/**
 * Where the zstd frame at the beginning of `bytes` ends, and how much it decompresses to, by its header and its blocks'
 * headers alone (RFC 8878, section 3.1.1); undefined when it is no whole frame that tells its content's size.
 */
export const frameExtent = (bytes: Uint8Array): { readonly end: number; readonly contentBytes: number } | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) return undefined;
  const descriptor = bytes[4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : 4;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03]!;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const sizeAt = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  if (sizeBytes === 0 || bytes.length < sizeAt + sizeBytes) return undefined;
  const contentBytes =
    sizeBytes === 1
      ? bytes[sizeAt]!
      : sizeBytes === 2
        ? view.getUint16(sizeAt, true) + 256
        : sizeBytes === 4
          ? view.getUint32(sizeAt, true)
          : Number(view.getBigUint64(sizeAt, true));
  for (let at = sizeAt + sizeBytes; at + 3 <= bytes.length; ) {
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const [last, type, size] = [(header & 1) === 1, (header >> 1) & 3, header >> 3];
    // A block of one repeated byte holds that byte only.
    at += 3 + (type === 1 ? 1 : size);
    if (!last) continue;
    const end = at + checksumBytes;
    return type === 3 || end > bytes.length ? undefined : { end, contentBytes };
  }
  return undefined;
};
