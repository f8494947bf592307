import { join } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Exportation, ExportOptions } from "../engine.ts";
import { writeFileOf } from "../export-file.ts";
import type { Argument } from "./connection.ts";
import { parseDefinitions } from "./definitions.ts";
import { createKeyCommands } from "./key-commands.ts";
import type { KeysTarget } from "./plan.ts";
import { readRecords } from "./record-reader.ts";

const file = "keys.resp";
const blockBytes = 1 << 20;

/** Commands in Redis's own protocol, as `redis-cli --pipe` takes them. */
export const openExport = async (folder: string, options: ExportOptions, signal: AbortSignal): Promise<Exportation> => {
  const [definition] = options.definitions;
  if (definition === undefined) throw new Failure("FormatUnsupported", "The snapshot of a Redis database lacks its definitions.");
  const source = definition.target as KeysTarget;
  const { functions, users } = parseDefinitions(definition.content);
  const notes: string[] = [];
  return {
    write: async (_, content) => {
      const commandsOf = createKeyCommands({ detail: source.detail, restore: true, rdbVersion: source.rdbVersion ?? 9 });
      const encoded = async function* (): AsyncGenerator<Buffer> {
        let waiting: Buffer[] = [];
        let bytes = 0;
        const put = (command: readonly Argument[]): void => {
          const text = encodeCommand(command);
          waiting.push(text);
          bytes += text.length;
        };
        // Functions belong to no database; they are there before anybody calls them.
        if (options.part === undefined) for (const { code } of functions ?? []) put(["FUNCTION", "LOAD", Buffer.from(code, "base64")]);
        let database: number | undefined;
        for await (const record of readRecords(content)) {
          if (record.database !== database) put(["SELECT", String(record.database)]);
          database = record.database;
          for (const command of commandsOf(record)) put(command);
          if (bytes < blockBytes) continue;
          yield Buffer.concat(waiting);
          waiting = [];
          bytes = 0;
        }
        if (bytes > 0) yield Buffer.concat(waiting);
      };
      await writeFileOf(join(folder, file), encoded(), signal);
    },
    finish: async () => {
      notes.push("Keys that have expired by the time of loading do not come back.");
      if ((users ?? []).length > 0) notes.push("Users and their rules are not exported: they hold password hashes.");
      return { format: "commands in Redis's protocol", load: `redis-cli -u TARGET_URL --pipe < ${file}`, notes };
    },
  };
};

const encodeCommand = (command: readonly Argument[]): Buffer => {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = typeof argument === "string" ? Buffer.from(argument, "utf8") : argument;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
};
