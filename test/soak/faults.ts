import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Random } from "../../core/domain/seeded-random.ts";
import type { TcpFront } from "../sample/tcp-front.ts";
import type { Place } from "./place.ts";

/** What is under way when a fault strikes. */
export type Work = "backup" | "restore" | "drill" | "retention";

/** Puts right what it broke. */
type Repair = () => Promise<void>;

/** Something that breaks at a moment of somebody else's choosing, and the works in which it is tried. */
export interface Fault {
  readonly name: string;
  readonly in: readonly Work[];
  /** The run is ended beside it, and nobody goes on with it. */
  readonly forGood?: true;
  /** Its server forgets everything when it ends. */
  readonly notFor?: "cosmos";
  readonly strike: (place: Place, random: Random) => Promise<Repair>;
}

const pause = (random: Random): Promise<void> => delay(random.between(50, 1_500));

/** Everything that goes through the front is cut, and nobody gets through for a while. */
const cut =
  (front: (place: Place) => TcpFront): Fault["strike"] =>
  async (place, random) => {
    await front(place).down();
    return async () => {
      await pause(random);
      await front(place).up();
    };
  };

/** Connections stand still in the middle of what the server sends; then they go on, or are cut where they stand. */
const stall =
  (front: (place: Place) => TcpFront): Fault["strike"] =>
  async (place, random) => {
    void front(place).freezeAfter(random.between(0, 400_000));
    return async () => {
      await delay(random.between(500, 3_000));
      if (random.next() < 0.5) {
        await front(place).down();
        await front(place).up();
      }
      front(place).thaw();
    };
  };

export const faults: readonly Fault[] = [
  {
    name: "worker killed",
    in: ["backup", "drill", "retention"],
    strike: async (place, random) => {
      await place.killWorker();
      return async () => {
        await pause(random);
        await place.startWorker();
      };
    },
  },
  {
    name: "worker killed, run given up",
    in: ["backup"],
    forGood: true,
    strike: async (place) => {
      await place.killWorker();
      return () => place.startWorker();
    },
  },
  {
    name: "worker told to stop",
    in: ["backup"],
    strike: async (place) => {
      await place.stopWorker();
      return () => place.startWorker();
    },
  },
  {
    name: "database's server crashes",
    notFor: "cosmos",
    in: ["backup", "restore", "drill"],
    strike: async ({ database }) => {
      const recovered = database.crash();
      return () => recovered;
    },
  },
  {
    name: "database's server stopped at once",
    notFor: "cosmos",
    in: ["backup", "restore", "drill"],
    strike: async ({ database }, random) => {
      await database.abort();
      return async () => {
        await pause(random);
        await database.start();
      };
    },
  },
  { name: "connections to the database cut", in: ["backup", "restore", "drill"], strike: cut(({ toDatabase }) => toDatabase) },
  { name: "connections to the database stand still", in: ["backup", "restore"], strike: stall(({ toDatabase }) => toDatabase) },
  {
    name: "catalog's server crashes",
    in: ["backup", "retention"],
    strike: async ({ catalogs }) => {
      const recovered = catalogs.crash();
      return () => recovered;
    },
  },
  { name: "connections to the catalog cut", in: ["backup", "retention"], strike: cut(({ toCatalog }) => toCatalog) },
  { name: "connections to the catalog stand still", in: ["backup"], strike: stall(({ toCatalog }) => toCatalog) },
  { name: "connections to Temporal cut", in: ["backup"], strike: cut(({ toTemporal }) => toTemporal) },
  {
    name: "disk of the landing store full",
    in: ["backup", "retention"],
    strike: async ({ disk }, random) => {
      await disk.fill(random.between(0, 300_000));
      return async () => {
        await pause(random);
        await disk.empty();
      };
    },
  },
  {
    name: "files may not grow",
    in: ["backup"],
    strike: async (place, random) => {
      const pid = await place.workerPid();
      const limit = (bytes: string) => promisify(execFile)("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:unlimited`]);
      await limit(String(random.between(0, 400_000)));
      return async () => {
        await pause(random);
        await limit("unlimited");
      };
    },
  },
  {
    // The restore runs in a process of its own, which the round kills.
    name: "restore killed",
    in: ["restore"],
    strike: async (place) => {
      place.killRestore();
      return async () => {};
    },
  },
];
