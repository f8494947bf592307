import type { EngineName } from "../domain/snapshot.ts";
import type { Engine } from "./engine.ts";
import { mongodb } from "./mongodb/mongodb.ts";
import { postgres } from "./postgres/postgres.ts";

const engines: Readonly<Record<EngineName, Engine>> = { postgres, mongodb };

export const engineOf = (name: EngineName): Engine => engines[name];
