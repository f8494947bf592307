import { randomBytes } from "node:crypto";
import type { Component, Place } from "../component.ts";
import { findProgram } from "../programs.ts";

const urlOf = (place: Place): string => `redis://:${place.secrets.password}@127.0.0.1:${place.ports.redis}`;

/** Redis with a random password, on loopback only. Its data is in memory: it is gone when the stack is stopped. */
export const redis: Component<{ url: string }> = {
  title: "Redis",
  ports: ["redis"],
  makeSecrets: () => ({ password: randomBytes(18).toString("base64url") }),
  setUp: async (progress) => {
    await findProgram("redis", progress);
  },
  prepare: async (place, progress) => ({
    redis: {
      command: await findProgram("redis", progress),
      args: [
        ...["--port", String(place.ports.redis), "--bind", "127.0.0.1", "--requirepass", place.secrets.password!],
        ...["--dir", place.folder, "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"],
      ],
      cwd: place.folder,
    },
  }),
  check: async (place) => {
    const { createClient } = await import("@redis/client");
    const client = createClient({ url: urlOf(place), socket: { connectTimeout: 2_000, reconnectStrategy: false } });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.ping();
    } finally {
      if (client.isOpen) client.destroy();
    }
  },
  address: async (place) => ({ url: urlOf(place) }),
  shown: (place) => `redis://:***@127.0.0.1:${place.ports.redis}`,
};
