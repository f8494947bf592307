import type { EngineName } from "../domain/snapshot.ts";
import type { Engine } from "./engine.ts";

/** Loaded when first asked for: a driver takes tenths of a second and megabytes of every thread that has it. */
const engines: Readonly<Record<EngineName, () => Promise<Engine>>> = {
  postgres: async () => (await import("./postgres/postgres.ts")).postgres,
  mongodb: async () => (await import("./mongodb/mongodb.ts")).mongodb,
  cosmos: async () => (await import("./cosmos/cosmos.ts")).cosmos,
  redis: async () => (await import("./redis/redis.ts")).redis,
};

export const engineOf = async (name: EngineName): Promise<Engine> => await engines[name]();
