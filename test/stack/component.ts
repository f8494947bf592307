import type { Launch } from "./processes.ts";
import type { Progress } from "./progress.ts";

/** What one component of the stack has to itself: kept in the stack's state, the same at every start. */
export interface Place {
  /** Its folder, which exists; deleted by `down --purge`. */
  readonly folder: string;
  /** By the names that the component declares. */
  readonly ports: Readonly<Record<string, number>>;
  /** Random, made at the first start. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** A real server of the stack. One file each in components/; registered in components.ts. */
export interface Component<Address> {
  readonly title: string;
  readonly ports: readonly string[];
  /** Started only where it is named: what takes minutes to build is no part of "all". */
  readonly onlyWhenNamed?: true;
  readonly makeSecrets?: () => Record<string, string>;
  /** Fetches or builds what is missing on this machine. */
  readonly setUp: (progress: Progress) => Promise<void>;
  /** Makes its folder ready (idempotent) and says which processes run, by name. */
  readonly prepare: (place: Place, progress: Progress) => Promise<Readonly<Record<string, Launch>>>;
  /** Rejects, within about two seconds, unless it answers as its users need it. Also does what must be done once it runs. */
  readonly check: (place: Place) => Promise<void>;
  readonly address: (place: Place) => Promise<Address>;
  /** The address in one line for people, of one of its processes where that is named; holds no secret. */
  readonly shown: (place: Place, process?: string) => string;
  /** How it is asked to end; SIGTERM unless said otherwise. */
  readonly stopSignal?: NodeJS.Signals;
  /** Folders outside its own that it made. */
  readonly outside?: (place: Place) => string[];
}
