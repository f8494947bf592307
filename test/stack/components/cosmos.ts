import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Component, Place } from "../component.ts";
import { findProgram } from "../programs.ts";
import { ask } from "./http.ts";

const endpointOf = (place: Place) => `http://127.0.0.1:${place.ports.gateway}/`;

/**
 * Azure Cosmos DB for NoSQL, emulated in memory by @vercel/cosmosdb-server. It asks for no key, charges one request unit
 * for everything, never throttles, and has no stored procedures, triggers, throughput settings or real change feed.
 */
export const cosmos: Component<{ endpoint: string; key: string }> = {
  title: "Azure Cosmos DB (emulator)",
  ports: ["gateway"],
  makeSecrets: () => ({ key: randomBytes(64).toString("base64") }),
  setUp: async (progress) => {
    await findProgram("cosmos", progress);
  },
  prepare: async (place, progress) => ({
    cosmos: {
      command: process.execPath,
      args: [join(import.meta.dirname, "..", "cosmos", "serve.cjs"), await findProgram("cosmos", progress), String(place.ports.gateway)],
      cwd: place.folder,
    },
  }),
  check: async (place) => {
    const account = (await (await ask(endpointOf(place))).json()) as { _dbs?: string };
    if (account._dbs === undefined) throw new Error("another server answers on its port");
  },
  address: async (place) => ({ endpoint: endpointOf(place), key: place.secrets.key! }),
  shown: endpointOf,
};
