import type { Engine } from "../engine.ts";
import { comparison } from "./comparison.ts";
import { collectionsIn } from "./definitions.ts";
import { openExportation } from "./export.ts";
import { openHold } from "./hold.ts";
import { selectableCollections } from "./part.ts";
import { planDatabase } from "./plan.ts";
import { probeDatabase } from "./probe.ts";
import { readPart } from "./read.ts";
import { openRestoration } from "./restore.ts";
import { createScratch, dropScratch } from "./scratch.ts";
import { findUnchanged } from "./unchanged.ts";

/** MongoDB 4.4 and newer, Atlas, and servers that speak its protocol. */
export const mongodb: Engine = {
  name: "mongodb",
  probe: probeDatabase,
  hold: openHold,
  plan: planDatabase,
  read: readPart,
  unchanged: findUnchanged,
  selection: {
    by: "name",
    names: (definitions, streams) => selectableCollections(collectionsIn(definitions), streams),
  },
  comparison,
  restore: openRestoration,
  export: openExportation,
  createScratch,
  dropScratch,
};
