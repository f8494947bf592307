import { Failure } from "../../domain/failure.ts";
import type { RestoreProgress } from "../engine.ts";
import type { Connection } from "./connection.ts";

/**
 * How far a restore has come, in a collection of its own in the target, until it is done. A part is recorded once its documents are
 * durable on a majority. One that is written but not recorded is written again, which doubles nothing: its documents have their `_id`s.
 */
export const progressCollection = ({ job }: RestoreProgress): string => `dbgov_restore_${job}`;

/** Whether a collection is such a record: none belongs to a snapshot. */
export const isProgress = (collection: string): boolean => /^dbgov_restore_[0-9a-f]{16}$/.test(collection);

const majority = { w: "majority" } as const;
const state = "state";

interface ProgressDocument {
  readonly _id: string;
  readonly measured?: readonly string[];
}

export interface Progress {
  /** The parts that are written. */
  readonly written: readonly string[];
  /** Time-series collections that measurements were being written to: these have no `_id`s that would keep them from being doubled. */
  readonly measured: readonly string[];
}

const collectionOf = ({ db }: Connection, progress: RestoreProgress) => db.collection<ProgressDocument>(progressCollection(progress));

export const beginProgress = async (connection: Connection, progress: RestoreProgress): Promise<void> => {
  await collectionOf(connection, progress).insertOne({ _id: state }, { writeConcern: majority });
};

export const readProgress = async (connection: Connection, progress: RestoreProgress): Promise<Progress> => {
  const found = await collectionOf(connection, progress).find().toArray();
  const begun = found.find(({ _id }) => _id === state);
  if (begun === undefined)
    throw new Failure(
      "UsageInvalid",
      `Database ${connection.address.label} holds no unfinished restore of this snapshot and choice: there is nothing to resume.`,
    );
  return { written: found.map(({ _id }) => _id).filter((id) => id !== state), measured: begun.measured ?? [] };
};

/** Before the first measurement is written. */
export const recordMeasured = async (connection: Connection, progress: RestoreProgress, collection: string): Promise<void> => {
  await collectionOf(connection, progress).updateOne({ _id: state }, { $addToSet: { measured: collection } }, { writeConcern: majority });
};

export const recordPart = async (connection: Connection, progress: RestoreProgress, part: string): Promise<void> => {
  await collectionOf(connection, progress).updateOne({ _id: part }, { $set: { written: true } }, { upsert: true, writeConcern: majority });
};

export const endProgress = async (connection: Connection, progress: RestoreProgress): Promise<void> => {
  await collectionOf(connection, progress).drop();
};
