import { Socket } from "node:net";

/** What one read takes at most while rows stream: few reads, and no memory to get and to collect for each of them. */
const streamBytes = 256 << 10;
const messageBytes = 16 << 10;

/** Gets what was read; nothing more is read until `resume` is called. The view is valid until the second `resume` after it. */
export type Receiver = (bytes: Buffer) => void;

const diversions = new WeakMap<Socket, (receiver: Receiver | undefined) => void>();

/**
 * A socket without TLS that reads into memory of its own and not into a new buffer each time. It emits `data` as every socket
 * does, until a receiver diverts it.
 */
export const openPlainSocket = (): Socket => {
  const small = Buffer.allocUnsafeSlow(messageBytes);
  let large: readonly [Buffer, Buffer] | undefined;
  let turn: 0 | 1 = 0;
  let receiver: Receiver | undefined;
  const nextBuffer = (): Buffer => {
    if (receiver === undefined || large === undefined) return small;
    turn = turn === 0 ? 1 : 0;
    return large[turn];
  };
  const socket = new Socket({
    onread: {
      buffer: nextBuffer,
      callback: (size, bytes) => {
        const read = Buffer.from(bytes.buffer, bytes.byteOffset, size);
        // Whoever listens for `data` may keep what it gets.
        if (receiver === undefined) return socket.emit("data", Buffer.from(read)) || true;
        receiver(read);
        return false;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  diversions.set(socket, (next) => {
    large ??= [Buffer.allocUnsafeSlow(streamBytes), Buffer.allocUnsafeSlow(streamBytes)];
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
