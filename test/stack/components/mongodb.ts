import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Component } from "../component.ts";
import { findProgram } from "../programs.ts";

const hostOf = (port: number | undefined) => `127.0.0.1:${port}`;

/** Rejects unless a server of MongoDB's protocol answers there. */
export const answersMongodb = async (url: string): Promise<void> => {
  const { MongoClient } = await import("mongodb");
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000, directConnection: true });
  try {
    await client.db("admin").command({ ping: 1 });
  } finally {
    await client.close();
  }
};

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
  check: (place) => answersMongodb(`mongodb://${hostOf(place.ports.wire)}/`),
  address: async (place) => ({ url: `mongodb://${hostOf(place.ports.wire)}/` }),
  shown: (place) => `mongodb://${hostOf(place.ports.wire)}/`,
};
