import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions, RestoreProgress, RowsStream } from "../engine.ts";
import { type Container, listContainers, listRanges, readContainer } from "./catalog.ts";
import { type Connection, connect } from "./connection.ts";
import { createContainer, createDatabase, createScripts, hasTimeToLive, putTimeToLive } from "./create.ts";
import { type ContainerDefinition, readDefinitions } from "./definitions.ts";
import { cosmosFailure } from "./failures.ts";
import type { RowsTarget } from "./plan.ts";
import { previewOf } from "./preview.ts";
import { readRows } from "./read-feed.ts";
import { markContainer, markedOf, nothingToResume, unfinished, unmarkContainer } from "./restore-progress.ts";
import { writeRows } from "./write-rows.ts";

/** Opens a restore into the database at `url`; nothing is written before `prepare`. */
export async function openRestoration(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration> {
  const { throughput, containers: all } = readDefinitions(options.definitions);
  const chosen = chosenOf(all, options.part);
  // A part is put beside what is there; everything else wants an empty database.
  const beside = options.part !== undefined && "only" in options.part;
  let connection = await connect(url, signal, { mayBeMissing: true });
  const { address } = connection;
  const rids = new Map<string, string>();
  const notes: string[] = [];
  const toExpire: ContainerDefinition[] = [];
  const { progress } = options;
  /** Containers that an earlier attempt has made. */
  const found = new Set<string>();

  const guarded = async <T>(during: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw cosmosFailure(error, address, during, "RestoreFailed");
    }
  };

  /** What is there and has to go first; refuses where nothing may. */
  const replaceable = async (): Promise<Container[]> => {
    if (connection.rid === undefined) return [];
    const all = await guarded("looking at the target", () => listContainers(connection, signal));
    const present = beside ? all.filter(({ id }) => chosen.some((each) => each.id === id)) : all;
    if (present.length === 0 || options.replace) return present;
    if (progress !== undefined && (await marked(present, progress)).length > 0) throw unfinished(connection);
    throw notEmpty(connection, present, beside);
  };

  const marked = (present: readonly Container[], of: RestoreProgress): Promise<string[]> =>
    guarded("looking how far a restore came", () => markedOf(connection, present, of, signal));

  /** Finds what an earlier attempt has made. */
  const comeSoFar = async (of: RestoreProgress): Promise<void> => {
    const all = connection.rid === undefined ? [] : await guarded("looking at the target", () => listContainers(connection, signal));
    const present = all.filter(({ id }) => chosen.some((each) => each.id === id));
    if ((await marked(present, of)).length === 0) throw nothingToResume(connection);
    for (const { id } of present) found.add(id);
  };

  const create = async (definition: ContainerDefinition, shared: boolean): Promise<boolean> => {
    const during = `creating container ${quoted(definition.id)}`;
    notes.push(...(await guarded(during, () => createContainer(connection, definition, shared, signal))));
    return progress === undefined || (await guarded(during, () => markContainer(connection, definition.id, progress, signal)));
  };

  const ridOf = async (container: string): Promise<string> => {
    const known =
      rids.get(container) ?? (await guarded(`looking at ${quoted(container)}`, () => readContainer(connection, container, signal)))?.rid;
    if (known === undefined) throw new Failure("RestoreFailed", `Container ${quoted(container)} of ${address.label} is gone.`);
    rids.set(container, known);
    return known;
  };

  return {
    notes,
    written: new Set(),
    preview: async () => {
      if (progress?.resume !== true) return previewOf(chosen, connection, await replaceable());
      await comeSoFar(progress);
      const list = [...found].map(quoted).join(", ");
      return { creates: [], drops: [], notes: [`An earlier attempt has made ${list}: what is there is compared and stays.`] };
    },
    prepare: async () => {
      if (progress?.resume === true) await comeSoFar(progress);
      for (const { id } of progress?.resume === true ? [] : await replaceable())
        await guarded(`deleting container ${quoted(id)}`, () =>
          connection.send({ method: "DELETE", resource: ["colls", id] }, connection.budget(), signal),
        );
      if (connection.rid === undefined) {
        notes.push(...(await guarded("creating the database", () => createDatabase(connection, throughput, signal))));
        connection = await connect(url, signal);
      }
      const shared = connection.rid !== undefined && connection.throughput?.has(connection.rid) === true;
      let recorded = true;
      for (const definition of chosen) if (!found.has(definition.id)) recorded = (await create(definition, shared)) && recorded;
      if (!recorded)
        notes.push("The server has no functions, in which it could be recorded that a restore is under way: if it fails, it begins anew.");
      // Budgets follow the throughput of what was just created.
      if (chosen.length > 0) connection = await connect(url, signal);
    },
    write: (stream, content) =>
      guarded(`writing ${quoted(stream.name)}`, async () => {
        const target = stream.target as RowsTarget;
        const rid = await ridOf(target.container);
        await writeRows(connection, { ...target, rid, resuming: found.has(target.container) }, content, signal);
      }),
    finish: async () => {
      for (const definition of chosen) {
        notes.push(
          ...(await guarded(`creating the scripts of ${quoted(definition.id)}`, () =>
            createScripts(connection, definition, found.has(definition.id), signal),
          )),
        );
        if (hasTimeToLive(definition)) toExpire.push(definition);
      }
      if (progress === undefined) return;
      for (const { id } of chosen)
        await guarded(`ending the restore of ${quoted(id)}`, () => unmarkContainer(connection, id, progress, signal));
    },
    readBack: (stream) => readBack(stream),
    close: async () => {
      if (signal.aborted) return;
      for (const definition of toExpire)
        await guarded(`setting the time to live of ${quoted(definition.id)}`, () => putTimeToLive(connection, definition, signal));
    },
  };

  async function* readBack(stream: RowsStream): AsyncGenerator<Uint8Array, void> {
    const { container } = stream.target as RowsTarget;
    const rid = await ridOf(container);
    try {
      for (const range of await listRanges(connection, container, signal)) yield* readRows(connection, { container, rid, range }, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw cosmosFailure(error, address, `reading back ${quoted(stream.name)}`);
    }
  }
}

function chosenOf(all: readonly ContainerDefinition[], part: RestoreOptions["part"]): readonly ContainerDefinition[] {
  if (part === undefined || part.by !== "name") return all;
  return "only" in part ? all.filter(({ id }) => part.only.includes(id)) : all.filter(({ id }) => !part.except.includes(id));
}

const notEmpty = ({ address }: Connection, present: readonly Container[], beside: boolean): Failure => {
  const names = present.length === 1 ? quoted(present[0]!.id) : `${present.length} containers, among them ${quoted(present[0]!.id)}`;
  return new Failure(
    "TargetNotEmpty",
    `Database ${address.label} ${beside ? "has" : "is not empty: it has"} ${names}${beside ? " already" : ""}.`,
  );
};

const quoted = (name: string): string => JSON.stringify(name);
