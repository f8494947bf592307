import type { Comparison, RowsStream, SelectionByRecord } from "../engine.ts";
import { parseDefinitions } from "./definitions.ts";
import { headBytes } from "./record.ts";
import { recordOf } from "./record-reader.ts";

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Keys are chosen by their names; one that is no UTF-8 by its bytes, each as one character. */
export const selection: SelectionByRecord = {
  by: "record",
  what: "key",
  nameOf: (_: RowsStream, record) => {
    const { key } = recordOf(bufferOf(record));
    const text = key.toString("utf8");
    return text.includes("\ufffd") ? key.toString("latin1") : text;
  },
};

/** Form, type, database and key; of a piece of a large key also what stands first in it: its index, or the member. */
const rowKey = (row: Uint8Array): Uint8Array => {
  const { form, type, key, body } = recordOf(bufferOf(row));
  const head = Buffer.from(row.subarray(4, 8));
  if (form !== "piece") return Buffer.concat([head.subarray(0, 1), head.subarray(2), key]);
  const first = type === "list" || type === "stream" ? body.subarray(0, 8) : body.subarray(0, 4 + body.readUInt32LE(0));
  return Buffer.concat([Buffer.from(row.subarray(4, headBytes)), key, first]);
};

export const comparison: Comparison = {
  definitions: (definitions) => {
    const texts = new Map<string, string>();
    for (const { content } of definitions) {
      const { functions, users } = parseDefinitions(content);
      for (const { name, code } of functions ?? []) texts.set(`library ${name}`, Buffer.from(code, "base64").toString("utf8"));
      for (const rules of users ?? []) texts.set(`user ${rules.split(" ")[1]}`, rules);
    }
    return texts;
  },
  rowKey: () => rowKey,
};
