import type { RestorePreview } from "../engine.ts";
import { type Container, type ScriptKind, scriptKinds } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import type { ContainerDefinition } from "./definitions.ts";

const singular = { storedProcedures: "stored procedure", triggers: "trigger", functions: "user-defined function" } as const;

/** What a restore of these containers would do. Whether the target takes their throughput is known only when it is asked to. */
export function previewOf(chosen: readonly ContainerDefinition[], connection: Connection, present: readonly Container[]): RestorePreview {
  const scripts = (Object.keys(scriptKinds) as ScriptKind[]).map((kind) => ({
    kind: singular[kind],
    count: chosen.reduce((sum, definition) => sum + definition.scripts[kind].length, 0),
  }));
  const database = { kind: "database", count: connection.rid === undefined ? 1 : 0 };
  return {
    creates: [database, { kind: "container", count: chosen.length }, ...scripts].filter(({ count }) => count > 0),
    drops: present.map(({ id }) => id),
    notes: [],
  };
}
