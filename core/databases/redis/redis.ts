import type { Engine } from "../engine.ts";
import { comparison, selection } from "./comparison.ts";
import { openExport } from "./export.ts";
import { openHold } from "./hold.ts";
import { planDatabase } from "./plan.ts";
import { probeDatabase } from "./probe.ts";
import { readPart } from "./read.ts";
import { openRestoration } from "./restore.ts";
import { createScratch, dropScratch } from "./scratch.ts";

/** Redis 6.0 and later, Valkey, and what speaks as they do. */
export const redis: Engine = {
  name: "redis",
  probe: probeDatabase,
  hold: openHold,
  plan: (url, token, _, signal) => planDatabase(url, token, signal),
  read: (url, _, stream, part, signal) => readPart(url, stream, part, signal),
  selection,
  comparison,
  restore: openRestoration,
  export: openExport,
  createScratch,
  dropScratch,
};
