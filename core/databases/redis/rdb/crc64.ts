/** The CRC-64 of Redis (Jones; reflected), as two halves of 32 bits each. */
const polynomial = 0x95ac9329ac4bc9b5n;
const low = new Uint32Array(256);
const high = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  low[byte] = Number(crc & 0xffffffffn);
  high[byte] = Number(crc >> 32n);
}

/** Of bytes that come one after another. */
export const createCrc64 = (): { add(bytes: Uint8Array): void /** Eight bytes, as they end a DUMP and an RDB. */; end(): Buffer } => {
  let a = 0;
  let b = 0;
  return {
    add: (bytes) => {
      let x = a;
      let y = b;
      for (let at = 0; at < bytes.length; at++) {
        const n = (x ^ bytes[at]!) & 0xff;
        x = ((x >>> 8) | (y << 24)) ^ low[n]!;
        y = (y >>> 8) ^ high[n]!;
      }
      a = x;
      b = y;
    },
    end: () => {
      const out = Buffer.alloc(8);
      out.writeUInt32LE(a >>> 0, 0);
      out.writeUInt32LE(b >>> 0, 4);
      return out;
    },
  };
};

/** Eight bytes, as they end a DUMP. */
export const crc64 = (bytes: Uint8Array): Buffer => {
  const crc = createCrc64();
  crc.add(bytes);
  return crc.end();
};
