import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../core/domain/failure.ts";
import type { Progress } from "./progress.ts";
import { type Installation, installed } from "./setup/cache.ts";
import { pgbouncerInstallation, postgresClientInstallation, redisInstallation } from "./setup/debian-packages.ts";
import {
  ageProgram,
  ferretProgram,
  goInstallation,
  kopiaProgram,
  kuboProgram,
  mongodumpProgram,
  mongorestoreProgram,
  resticProgram,
  storjProgram,
  tlogProgram,
} from "./setup/go-programs.ts";
import { arlocalInstallation, cosmosInstallation } from "./setup/npm-package.ts";
import { secantusInstallation } from "./setup/python-packages.ts";
import { postgresWheel, redis6Wheel, seaweedWheel, temporalWheel, tpchWheel, valkeyWheel, wheelInstallation } from "./setup/wheels.ts";

interface Program {
  /** Environment variable that points at it and wins over everything: the executable, or its folder where `folder` is set. */
  readonly variable: string;
  readonly executable: string;
  /** The variable names the folder that holds the executable, since others are wanted from there too. */
  readonly folder?: true;
  /** The oldest version that is taken from the PATH; without it the PATH is not searched. */
  readonly minimum?: readonly [major: number, minor: number];
  readonly installation: () => Installation;
  /** Path of the executable inside the installation. */
  readonly within: string;
}

/** Where each program of the stack, of the samples and of the bench comes from, in order: its environment variable, the PATH, the cache (filled first if need be). */
export const programs = {
  temporal: {
    variable: temporalWheel.variable,
    executable: "temporal",
    minimum: [1, 9],
    installation: () => wheelInstallation(temporalWheel),
    within: join(temporalWheel.programs, "temporal"),
  },
  postgres: {
    variable: postgresWheel.variable,
    executable: "postgres",
    folder: true,
    minimum: [16, 0],
    installation: () => wheelInstallation(postgresWheel),
    within: join(postgresWheel.programs, "postgres"),
  },
  ipfs: {
    variable: "DBGOV_KUBO_BIN",
    executable: "ipfs",
    minimum: [0, 40],
    installation: () => goInstallation(kuboProgram),
    within: kuboProgram.executable,
  },
  ferretdb: {
    variable: "DBGOV_FERRETDB_BIN",
    executable: "ferretdb",
    installation: () => goInstallation(ferretProgram),
    within: ferretProgram.executable,
  },
  secantus: {
    variable: "DBGOV_SECANTUS_BIN",
    executable: "secantusd-py",
    installation: secantusInstallation,
    within: join("bin", "secantusd-py"),
  },
  pgbouncer: {
    variable: "DBGOV_PGBOUNCER_BIN",
    executable: "pgbouncer",
    minimum: [1, 18],
    installation: pgbouncerInstallation,
    within: join("bin", "pgbouncer"),
  },
  pg_dump: {
    variable: "DBGOV_PG_DUMP_BIN",
    executable: "pg_dump",
    folder: true,
    installation: postgresClientInstallation,
    within: join("bin", "pg_dump"),
  },
  redis: {
    variable: "DBGOV_REDIS_BIN",
    executable: "redis-server",
    minimum: [8, 0],
    installation: redisInstallation,
    within: join("bin", "redis-server"),
  },
  redis6: {
    variable: redis6Wheel.variable,
    executable: "redis-server",
    installation: () => wheelInstallation(redis6Wheel),
    within: join(redis6Wheel.programs, "redis-server"),
  },
  valkey: {
    variable: valkeyWheel.variable,
    executable: "valkey-server",
    installation: () => wheelInstallation(valkeyWheel),
    within: join(valkeyWheel.programs, "valkey-server"),
  },
  seaweed: {
    variable: seaweedWheel.variable,
    executable: "weed",
    installation: () => wheelInstallation(seaweedWheel),
    within: join(seaweedWheel.programs, "weed"),
  },
  storj: {
    variable: "DBGOV_STORJ_BIN",
    executable: "storj",
    installation: () => goInstallation(storjProgram),
    within: storjProgram.executable,
  },
  arlocal: {
    variable: "DBGOV_ARLOCAL_MAIN",
    executable: "app.js",
    installation: arlocalInstallation,
    within: join("node_modules", "arlocal", "bin", "app.js"),
  },
  cosmos: {
    variable: "DBGOV_COSMOS_MAIN",
    executable: "index.js",
    installation: cosmosInstallation,
    within: join("node_modules", "@vercel", "cosmosdb-server", "lib", "index.js"),
  },
  tpch: {
    variable: tpchWheel.variable,
    executable: "tpchgen-cli",
    minimum: [4, 0],
    installation: () => wheelInstallation(tpchWheel),
    within: join(tpchWheel.programs, "tpchgen-cli"),
  },
  age: {
    variable: "DBGOV_AGE_BIN",
    executable: "age",
    minimum: [1, 1],
    installation: () => goInstallation(ageProgram),
    within: ageProgram.executable,
  },
  // Never from the PATH: these are compared in exactly these versions.
  kopia: {
    variable: "DBGOV_KOPIA_BIN",
    executable: "kopia",
    installation: () => goInstallation(kopiaProgram),
    within: kopiaProgram.executable,
  },
  restic: {
    variable: "DBGOV_RESTIC_BIN",
    executable: "restic",
    installation: () => goInstallation(resticProgram),
    within: resticProgram.executable,
  },
  mongodump: {
    variable: "DBGOV_MONGODUMP_BIN",
    executable: "mongodump",
    minimum: [100, 6],
    installation: () => goInstallation(mongodumpProgram),
    within: mongodumpProgram.executable,
  },
  mongorestore: {
    variable: "DBGOV_MONGORESTORE_BIN",
    executable: "mongorestore",
    minimum: [100, 6],
    installation: () => goInstallation(mongorestoreProgram),
    within: mongorestoreProgram.executable,
  },
  tlog: {
    variable: "DBGOV_TLOG_BIN",
    executable: "tlog",
    installation: () => goInstallation(tlogProgram),
    within: tlogProgram.executable,
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const onPath = async (program: Pick<Program, "executable" | "folder" | "minimum">): Promise<string | undefined> => {
  if (program.minimum === undefined) return undefined;
  const [major, minor] = program.minimum;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, program.executable);
    if (folder === "" || !isProgram(path)) continue;
    // A PostgreSQL without initdb beside it is a link or a package cut in two: no use here.
    if (program.folder && !isProgram(join(folder, "initdb"))) continue;
    const printed = await promisify(execFile)(path, ["--version"], { timeout: 10_000 }).catch(() => undefined);
    const version = /(\d+)\.(\d+)/.exec(printed?.stdout ?? "");
    if (version === null) continue;
    const [foundMajor, foundMinor] = [Number(version[1]), Number(version[2])];
    if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return path;
  }
  return undefined;
};

/**
 * Path of a program of the stack; sets it up first where neither its environment variable nor the PATH has it.
 * Throws ClientToolMissing when the variable points nowhere, or when the setup lacks a tool that it needs.
 */
export const findProgram = async (name: ProgramName, progress: Progress): Promise<string> => {
  const program: Program = programs[name];
  const named = process.env[program.variable];
  if (named !== undefined && named !== "") {
    const path = program.folder ? join(named, program.executable) : named;
    if (!statSync(path, { throwIfNoEntry: false })?.isFile())
      throw new Failure("ClientToolMissing", `${program.variable} is ${JSON.stringify(named)}, but there is no ${program.executable}`);
    return path;
  }
  return (await onPath(program)) ?? join(await installed(program.installation(), progress), program.within);
};

/** Folder of PostgreSQL's programs: initdb, postgres, pg_dump, psql and the rest. */
export const findPostgresFolder = async (progress: Progress): Promise<string> => dirname(await findProgram("postgres", progress));

/** A real `mongod`, 5.0 or newer, which no registry has: `DBGOV_MONGOD`, else the PATH; undefined where neither does. */
export const installedMongod = async (): Promise<string | undefined> => {
  const named = process.env.DBGOV_MONGOD;
  return named !== undefined && named !== "" ? named : await onPath({ executable: "mongod", minimum: [5, 0] });
};
