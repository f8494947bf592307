import { Socket } from "node:net";

/** What one read takes at most while rows stream: few reads, and no memory to get and to collect for each of them. */
const streamBytes = 256 << 10;
const messageBytes = 16 << 10;

/**
 * Gets what was read, and says whether to read on; else nothing is read until `resume` is called. There is memory for three
 * pieces: one that is being used, and two that wait, at the second of which it must say no.
 */
export type Receiver = (bytes: Buffer) => boolean;

const diversions = new WeakMap<Socket, (receiver: Receiver | undefined) => void>();

/**
 * A socket without TLS that reads into memory of its own and not into a new buffer each time. It emits `data` as every socket
 * does, until a receiver diverts it.
 */
export const openPlainSocket = (): Socket => {
  const small = Buffer.allocUnsafeSlow(messageBytes);
  let large: readonly Buffer[] = [];
  let turn = 0;
  let receiver: Receiver | undefined;
  const nextBuffer = (): Buffer => {
    if (receiver === undefined) return small;
    turn = (turn + 1) % 3;
    return large[turn]!;
  };
  const socket = new Socket({
    onread: {
      buffer: nextBuffer,
      callback: (size, bytes) => {
        const read = Buffer.from(bytes.buffer, bytes.byteOffset, size);
        // Whoever listens for `data` may keep what it gets.
        if (receiver === undefined) return socket.emit("data", Buffer.from(read)) || true;
        return receiver(read);
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  diversions.set(socket, (next) => {
    if (large.length === 0) large = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(streamBytes));
    receiver = next;
  });
  return socket;
};

/** Sends what is read to `receiver`, or again to those who listen for `data`. False when the socket is none of `openPlainSocket`. */
export const divert = (socket: Socket, receiver: Receiver | undefined): boolean => {
  const set = diversions.get(socket);
  set?.(receiver);
  return set !== undefined;
};
