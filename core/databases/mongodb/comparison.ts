import { BSON } from "mongodb";
import type { Comparison } from "../engine.ts";
import { collectionsIn } from "./definitions.ts";
import { elementOf } from "./ordered-bson.ts";

const none = new Uint8Array();

export const comparison: Comparison = {
  definitions: (definitions) => {
    const texts = new Map<string, string>();
    for (const { name, type, options, indexes } of collectionsIn(definitions)) {
      texts.set(`${type} ${name}`, BSON.EJSON.stringify(options, { relaxed: false }));
      for (const index of indexes) texts.set(`index ${String(index.name)} of ${name}`, BSON.EJSON.stringify(index, { relaxed: false }));
    }
    return texts;
  },
  /** Of the element's bytes alone: numbers of two types that are equal to the server would be two ids here, and cannot both be there. */
  rowKey: () => (document) => elementOf(document, "_id") ?? none,
};
