import type { RecordWriter } from "../record-writer.ts";
import { bigLength, type Cursor, malformed, pass, passString } from "./cursor.ts";

const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** What stands before each piece of a module's value, so that it can be passed over without the module. */
const pieces = { end: 0n, signed: 1n, unsigned: 2n, float: 3n, double: 4n, string: 5n } as const;

/** Nine letters of six bits, then a version of ten. */
const moduleName = (id: bigint): string =>
  Array.from({ length: 9 }, (_, n) => idLetters[Number((id >> BigInt(58 - 6 * n)) & 63n)]!).join("");

const passPieces = (cursor: Cursor): void => {
  for (;;) {
    switch (bigLength(cursor)) {
      case pieces.end:
        return;
      case pieces.signed:
      case pieces.unsigned:
        bigLength(cursor);
        break;
      case pieces.float:
        pass(cursor, 4);
        break;
      case pieces.double:
        pass(cursor, 8);
        break;
      case pieces.string:
        passString(cursor);
        break;
      default:
        throw malformed("a module's value has an unknown piece");
    }
  }
};

/** A value of a module's type goes as it is: only a server with that module can read it. */
export const moduleValue = (cursor: Cursor, writer: RecordWriter): void => {
  const start = cursor.at;
  const name = moduleName(bigLength(cursor));
  passPieces(cursor);
  writer.module(name, cursor.buffer.subarray(start, cursor.at));
};

/** What a module saves beside keys. */
export const passModuleAux = (cursor: Cursor): void => {
  bigLength(cursor);
  passPieces(cursor);
};
