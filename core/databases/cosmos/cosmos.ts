import type { Engine } from "../engine.ts";
import { comparison, selection } from "./choice.ts";
import { openExport } from "./export.ts";
import { openHold } from "./hold.ts";
import { findUnchanged } from "./marks.ts";
import { planDatabase } from "./plan.ts";
import { probeDatabase } from "./probe.ts";
import { readPart } from "./read.ts";
import { openRestoration } from "./restore.ts";
import { createScratch, dropScratch } from "./scratch.ts";

/** Azure Cosmos DB, the API for NoSQL, by its REST interface. */
export const cosmos: Engine = {
  name: "cosmos",
  probe: probeDatabase,
  hold: openHold,
  plan: planDatabase,
  read: readPart,
  unchanged: findUnchanged,
  selection,
  comparison,
  restore: openRestoration,
  export: openExport,
  createScratch,
  dropScratch,
};
