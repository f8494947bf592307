/** Bytes that grow at their end. */
export interface ByteBuffer {
  bytes: Buffer;
  length: number;
}

export const createByteBuffer = (capacity: number): ByteBuffer => ({ bytes: Buffer.allocUnsafe(capacity), length: 0 });

/** Makes room for so many more, and returns where they begin. `bytes` may be another buffer afterwards. */
export const reserve = (buffer: ByteBuffer, more: number): number => {
  const at = buffer.length;
  const needed = at + more;
  if (needed > buffer.bytes.length) {
    const grown = Buffer.allocUnsafe(Math.max(needed, buffer.bytes.length * 2));
    buffer.bytes.copy(grown, 0, 0, at);
    buffer.bytes = grown;
  }
  buffer.length = needed;
  return at;
};

export const putBytes = (buffer: ByteBuffer, bytes: Uint8Array): void => {
  const at = reserve(buffer, bytes.length);
  buffer.bytes.set(bytes, at);
};

/** A u32 length, then the bytes. */
export const putString = (buffer: ByteBuffer, bytes: Uint8Array): void => {
  const at = reserve(buffer, 4 + bytes.length);
  buffer.bytes.writeUInt32LE(bytes.length, at);
  buffer.bytes.set(bytes, at + 4);
};

export const putU32 = (buffer: ByteBuffer, value: number): void => {
  const at = reserve(buffer, 4);
  buffer.bytes.writeUInt32LE(value, at);
};

export const putU64 = (buffer: ByteBuffer, value: bigint): void => {
  const at = reserve(buffer, 8);
  buffer.bytes.writeBigUInt64LE(value, at);
};

export const putI64 = (buffer: ByteBuffer, value: bigint): void => {
  const at = reserve(buffer, 8);
  buffer.bytes.writeBigInt64LE(value, at);
};

export const putF64 = (buffer: ByteBuffer, value: number): void => {
  const at = reserve(buffer, 8);
  buffer.bytes.writeDoubleLE(value, at);
};
