import { dirname, join } from "node:path";
import type { Component } from "../component.ts";
import { findProgram } from "../programs.ts";
import { ask } from "./http.ts";

const urlOf = (port: number | undefined) => `http://127.0.0.1:${port}`;

/** An Arweave gateway with a chain of its own; blocks are mined on request (`/mine`), winstons minted (`/mint/ADDRESS/AMOUNT`). */
export const arlocal: Component<{ url: string }> = {
  title: "Arweave (arlocal)",
  ports: ["gateway"],
  setUp: async (progress) => {
    await findProgram("arlocal", progress);
  },
  prepare: async (place, progress) => ({
    arlocal: {
      command: process.execPath,
      args: [
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "..", "arlocal", "serve.cjs"),
        String(place.ports.gateway),
        "data",
      ],
      cwd: place.folder,
      // Where serve.cjs finds the package: node_modules of the installation.
      env: { NODE_PATH: dirname(dirname(dirname(await findProgram("arlocal", progress)))) },
    },
  }),
  check: async (place) => {
    const info = (await (await ask(`${urlOf(place.ports.gateway)}/info`)).json()) as { network?: string };
    if (info.network === undefined) throw new Error("another server answers on its port");
  },
  address: async (place) => ({ url: urlOf(place.ports.gateway) }),
  shown: (place) => urlOf(place.ports.gateway),
};
