import { Failure } from "../../domain/failure.ts";
import type { Engine } from "../engine.ts";
import { openHold } from "./hold.ts";
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
  selection: { by: "name", names: (_, streams) => streams.map(({ name }) => ({ name, streams: [name] })) },
  comparison: { definitions: () => new Map(), rowKey: () => undefined },
  restore: openRestoration,
  export: async () => {
    throw new Failure("EngineUnsupported", "snapshots of MongoDB cannot be exported yet");
  },
  createScratch,
  dropScratch,
};
