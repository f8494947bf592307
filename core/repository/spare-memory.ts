/** What lies here at most: the packs and staging buffers of two writers, with some room. */
const mostBytes = 96 * 1024 * 1024;
const spare: Uint8Array[] = [];

/**
 * Memory of this size, its content anything, for one writer of this thread after the other. Fresh memory would cost a page fault
 * for every 4 KiB of it, and a garbage collection for every few buffers. A Uint8Array, not a Buffer: whoever calls `slice`
 * means to copy.
 */
export const takeMemory = (bytes: number): Uint8Array => {
  const at = spare.findIndex((memory) => memory.length === bytes);
  return at < 0 ? new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer) : spare.splice(at, 1)[0]!;
};

/** For a thread that has nothing to capture: gives the memory back at once, and not when the garbage collector comes. */
export const forgetMemory = (): void => {
  for (const { buffer } of spare.splice(0)) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
};

/** Only for what `takeMemory` gave, or a part of it, and nobody uses any more. Nothing comes of what was transferred to another thread. */
export const giveMemory = ({ buffer }: Uint8Array): void => {
  if (buffer.byteLength === 0) return;
  spare.push(new Uint8Array(buffer));
  for (let total = spare.reduce((sum, { length }) => sum + length, 0); total > mostBytes; ) total -= spare.shift()!.length;
};

/**
 * Gives back the memory of a buffer that nobody uses any more, when it is not a part of a larger one. The garbage collector
 * counts what lies outside its heap, too: left to it, a few dozen megabytes of such buffers make it run through all of the heap.
 */
export const dropMemory = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};
