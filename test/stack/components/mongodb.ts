import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Component } from "../component.ts";
import { findProgram } from "../programs.ts";

const hostOf = (port: number | undefined) => `127.0.0.1:${port}`;

/** The MongoDB wire server: FerretDB over SQLite. It has no users, takes sessions and read concerns without honoring them. */
export const mongodb: Component<{ url: string }> = {
  title: "MongoDB wire (FerretDB)",
  ports: ["wire"],
  setUp: async (progress) => {
    await findProgram("ferretdb", progress);
  },
  prepare: async (place, progress) => {
    const data = join(place.folder, "data");
    await mkdir(data, { recursive: true });
    return {
      mongodb: { command: await findProgram("ferretdb", progress), args: [hostOf(place.ports.wire), data], cwd: place.folder },
    };
  },
  check: async (place) => {
    const { MongoClient } = await import("mongodb");
    const client = new MongoClient(`mongodb://${hostOf(place.ports.wire)}/`, {
      serverSelectionTimeoutMS: 2_000,
      directConnection: true,
    });
    try {
      await client.db("admin").command({ ping: 1 });
    } finally {
      await client.close();
    }
  },
  address: async (place) => ({ url: `mongodb://${hostOf(place.ports.wire)}/` }),
  shown: (place) => `mongodb://${hostOf(place.ports.wire)}/`,
};
