import { join } from "node:path";
import type { Exportation, ExportOptions } from "../engine.ts";
import { writeFileOf } from "../export-file.ts";
import { readDefinitions, writeDefinitions } from "./definitions.ts";
import { documentOf } from "./documents.ts";
import type { RowsTarget } from "./plan.ts";
import { rowsIn } from "./rows.ts";

/** The name of a container's file: its id, with what a file system may not take as `%` and hexadecimal digits. */
const fileOf = (container: string): string =>
  `${container.replaceAll(/[^\w. -]|^\./gu, (character) => encodeURIComponent(character).replace(/^\.$/, "%2E"))}.jsonl`;

/** Writes each container's documents as JSON lines, exactly as the server gave them, and what describes the containers beside them. */
export async function openExport(folder: string, options: ExportOptions, signal: AbortSignal): Promise<Exportation> {
  return {
    write: async (stream, content) => {
      const { container } = stream.target as RowsTarget;
      const lines = async function* (): AsyncGenerator<Buffer> {
        for await (const row of rowsIn(content)) yield Buffer.concat([documentOf(row), Buffer.from("\n")]);
      };
      await writeFileOf(join(folder, fileOf(container)), lines(), signal);
    },
    finish: async () => {
      const chosen = new Set(options.streams.map(({ target }) => (target as RowsTarget).container));
      const { throughput, containers } = readDefinitions(options.definitions);
      const kept = { throughput, containers: containers.filter(({ id }) => chosen.has(id)) };
      const definitions = async function* () {
        yield Buffer.from(writeDefinitions(kept));
      };
      await writeFileOf(join(folder, "containers.jsonl"), definitions(), signal);
      return {
        format: "JSON lines, one file for each container",
        load: 'dmt run --source JSON --sink Cosmos-nosql, with "FilePath" each file and "ConnectionString" TARGET_URL in its migrationsettings.json',
        notes: [
          "containers.jsonl says what the containers were: partition keys, indexing, unique keys, time to live, throughput and scripts. No tool of Azure reads it.",
          "Times of last writes (_ts) are left out, since no server takes them.",
        ],
      };
    },
  };
}
