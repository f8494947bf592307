import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Component } from "../component.ts";
import { ask } from "./http.ts";

const account = "dbgov";
const endpoint = (port: number | undefined) => `http://127.0.0.1:${port}/${account}`;

/** Azure Blob Storage: Microsoft's own emulator, with one account whose key is random. */
export const azurite: Component<{ connectionString: string }> = {
  title: "Azure Blob (Azurite)",
  ports: ["blob"],
  makeSecrets: () => ({ key: randomBytes(64).toString("base64") }),
  setUp: async () => {},
  prepare: async (place) => {
    await mkdir(join(place.folder, "data"), { recursive: true });
    const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
    return {
      azurite: {
        command: process.execPath,
        args: [
          main,
          ...["--blobHost", "127.0.0.1", "--blobPort", String(place.ports.blob)],
          ...["--location", join(place.folder, "data"), "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
        ],
        cwd: place.folder,
        env: { AZURITE_ACCOUNTS: `${account}:${place.secrets.key}` },
      },
    };
  },
  check: async (place) => {
    // Not signed, so refused: but by Azurite.
    const response = await ask(`${endpoint(place.ports.blob)}?comp=list`);
    const server = response.headers.get("server") ?? "";
    if (!server.startsWith("Azurite")) throw new Error(`another server (${server || response.status}) answers on its port`);
  },
  address: async (place) => ({
    connectionString: [
      "DefaultEndpointsProtocol=http",
      `AccountName=${account}`,
      `AccountKey=${place.secrets.key}`,
      `BlobEndpoint=${endpoint(place.ports.blob)};`,
    ].join(";"),
  }),
  shown: (place) => endpoint(place.ports.blob),
};
