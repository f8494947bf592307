import type { Comparison, SelectionByName } from "../engine.ts";
import { type ScriptKind, scriptKinds } from "./catalog.ts";
import { definitionsStream, readDefinitions } from "./definitions.ts";
import { documentOf, nameOf } from "./documents.ts";
import { memberOf } from "./json-text.ts";
import type { RowsTarget } from "./plan.ts";

/** Containers are chosen by their names, which are those of their streams. */
export const selection: SelectionByName = {
  by: "name",
  names: (_, streams) => streams.map(({ name }) => ({ name, streams: [name] })),
};

const words = { storedProcedures: "stored procedure", triggers: "trigger", functions: "function" } as const;

export const comparison: Comparison = {
  definitions: (definitions) => {
    const texts = new Map<string, string>();
    const { throughput, containers } = readDefinitions(definitions.filter(({ name }) => name === definitionsStream));
    if (throughput !== null) texts.set("database throughput", JSON.stringify(throughput));
    for (const { id, text, throughput: own, scripts } of containers) {
      texts.set(`container ${id}`, `${text.toString("utf8")} ${JSON.stringify(own)}`);
      for (const kind of Object.keys(scriptKinds) as ScriptKind[])
        for (const script of scripts[kind])
          texts.set(`${words[kind]} ${id}/${memberOf(script, "id")?.toString("utf8") ?? ""}`, script.toString("utf8"));
    }
    return texts;
  },
  // An id is unique within its partition key.
  rowKey: (_, { target }) => {
    const { partitionKey } = target as RowsTarget;
    return (row) => {
      const document = documentOf(Buffer.from(row.buffer, row.byteOffset, row.byteLength));
      return Buffer.from(nameOf(document, partitionKey));
    };
  },
};
