import assert from "node:assert/strict";
import { test } from "node:test";
import type { Definition } from "../../core/databases/mongodb/definitions.ts";
import { partNotes } from "../../core/databases/mongodb/part.ts";

const collection = (name: string): Definition => ({ name, type: "collection", options: {}, indexes: [] });
const view = (name: string, viewOn: string, pipeline: unknown): Definition => ({
  name,
  type: "view",
  options: { viewOn, pipeline },
  indexes: [],
});

test("a view says each collection that it reads and that is left out, at whatever depth of its pipeline", () => {
  const kept = collection("kept");
  const nested = [{ $match: { a: null } }, { $unionWith: "united" }];
  const views = [
    view("on", "gone", []),
    view("joined", "kept", [
      { $lookup: { from: "gone", as: "g", pipeline: nested } },
      { $facet: { f: [{ $unionWith: { coll: "united" } }] } },
    ]),
    view("ordered", "kept", [new Map([["$graphLookup", new Map([["from", "gone"]])]])]),
    view("whole", "kept", [{ $lookup: { from: "kept", as: "k" } }, { $set: { from: "gone" } }]),
  ];
  const all = [kept, collection("gone"), collection("united"), ...views];
  assert.deepEqual(partNotes(all, [kept, ...views]), [
    "View on reads gone, which is left out.",
    "View joined reads gone, which is left out.",
    "View joined reads united, which is left out.",
    "View ordered reads gone, which is left out.",
  ]);
  assert.deepEqual(partNotes(all, all), []);
});
