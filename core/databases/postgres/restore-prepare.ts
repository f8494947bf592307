import { Failure } from "../../domain/failure.ts";
import type { Definition, RestoreOptions, RestorePreview, RestoreProgress } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { type Archive, openArchive } from "./archive.ts";
import { chooseEntries, countKinds } from "./chosen-entries.ts";
import { dropContent } from "./drop-content.ts";
import { dropPolicies, fitArchive, refuseOlderServer } from "./fit.ts";
import { hasLargeObjects } from "./large-objects.ts";
import {
  applicationName,
  beginProgress,
  endEarlierAttempt,
  endProgress,
  hasProgress,
  mayRecord,
  type ProgressRecord,
  readProgress,
  requireWholeOrEmpty,
  setPhase,
} from "./restore-progress.ts";
import { comingOf, createRoles, planRoles, type RolePlan } from "./restore-roles.ts";
import { roleFactsOf } from "./role-facts.ts";
import { type Session, withSession } from "./session.ts";
import { placeTablespaces, withTablespaces } from "./tablespaces.ts";
import { chosenNamesThere, dropChosen, fitPart, refuseChosen, undoEntries } from "./target-part.ts";
import { closePublicSchema, contentNames, emptyUnlogged, refuseContent } from "./target-state.ts";
import { definitionNames, type SchemaTarget } from "./targets.ts";
import { readKnownToc, readToc, sections, securityLabels, type Toc, type TocEntry } from "./toc.ts";

/** What the rest of a restore needs to know once the definitions stand. */
export interface Prepared {
  readonly archive: Archive;
  readonly fitOptions: readonly string[];
  /** What of the archive this restore creates; undefined for all of it. */
  readonly entries: readonly TocEntry[] | undefined;
  readonly withLargeObjects: boolean;
  readonly written: readonly string[];
  /** All that the archive defines, with the tablespaces that it gets here; undefined when only pg_restore can read it. */
  readonly toc: Toc | undefined;
  /** Entries of it that an earlier attempt has made before all parts were written. */
  readonly built: readonly number[];
  /** Under which it is recorded how far the restore comes; undefined when it is not. */
  readonly progress: RestoreProgress | undefined;
}

export interface Preparation {
  /** What comes later adds to them. */
  readonly notes: string[];
  /** Whether anything may have been written. */
  readonly touched: boolean;
  preview(): Promise<RestorePreview>;
  prepare(): Promise<Prepared>;
  close(): Promise<void>;
}

/** Makes a target ready for rows: looks whether it may be written to, clears it where that is wished, and creates what is defined. */
export const openPreparation = (address: Address, options: RestoreOptions, signal: AbortSignal): Preparation => {
  const { progress, part } = options;
  const { content, target } = schemaOf(address, options.definitions);
  const schema = target as SchemaTarget;
  const notes: string[] = [];
  const chosen = part?.by === "name" ? chooseEntries(readToc(content), part) : undefined;
  notes.push(...(chosen?.notes ?? []));
  const beside = part !== undefined && "only" in part && chosen !== undefined;
  let archive: Archive | undefined;
  let toc: Toc | undefined;
  let recorded = progress;

  /** Refuses what may not be overwritten, and clears what may. */
  const clear = async (session: Session): Promise<void> => {
    if (beside) await (options.replace ? dropChosen(session, chosen) : refuseChosen(session, chosen));
    else await (options.replace ? dropContent(session) : refuseContent(session));
  };

  const scratch = options.scratch === true;
  /** A chosen part is put beside what is there, and makes nothing on the server. */
  const roles = beside || scratch || options.withoutRoles === true ? undefined : roleFactsOf(options.definitions);
  if (options.withoutRoles === true && !beside) notes.push("Roles that the target lacks are not created, as --no-roles says.");
  const labels = (schema.labelProviders ?? []).length === 0 ? [] : securityLabels(readKnownToc(content));
  let withoutPolicies = false;
  let touched = progress?.resume === true;

  const fit = async (session: Session, plan?: RolePlan): Promise<readonly string[]> => {
    const fitted = await fitArchive(session, schema, { ...comingOf(plan), scratch, labels });
    notes.push(...fitted.notes);
    withoutPolicies = fitted.withoutPolicies;
    return fitted.options;
  };

  const planTablespaces = async (session: Session): Promise<ReadonlyMap<string, string>> => {
    const { moved, notes: said } = await placeTablespaces(session, schema.tablespaces, options.tablespaces ?? []);
    notes.push(...said);
    return moved;
  };

  /** Which roles are created, and which are not, where nothing else says so. */
  const planOfRoles = async (session: Session): Promise<RolePlan | undefined> => {
    if (roles === undefined) return undefined;
    const plan = await planRoles(session, roles);
    notes.push(...plan.notes);
    const told = new Set([...schema.roles.owners, ...schema.roles.grantees, ...schema.roles.policies]);
    const untold = plan.missing.filter((name) => !told.has(name));
    if (untold.length > 0)
      notes.push(`Roles that the target lacks, and that the restoring role may not create, were left out: ${untold.join(", ")}.`);
    return plan;
  };

  /** What keeps a restore from being begun, found before anything is written. */
  const refuse = async (session: Session): Promise<void> => {
    if (progress?.resume === true) await readProgress(session, progress);
    if (options.replace || progress?.resume === true) return;
    if (progress !== undefined && (await hasProgress(session, progress)))
      throw new Failure(
        "TargetNotEmpty",
        `${describe(address)} holds an unfinished restore of this very snapshot: go on with it by --resume, or start over with --replace`,
      );
    await (beside ? refuseChosen(session, chosen) : refuseContent(session));
  };

  /** What is to be created, with what was chosen out of the way. */
  const entriesFor = async (session: Session): Promise<readonly TocEntry[] | undefined> => {
    if (!beside) return withoutPolicies ? dropPolicies(chosen?.entries ?? readToc(content).entries) : chosen?.entries;
    const fitted = await fitPart(session, chosen);
    notes.push(...fitted.notes);
    return fitted.entries;
  };

  const startOver = async (session: Session): Promise<readonly TocEntry[] | undefined> => {
    if (progress !== undefined) await endEarlierAttempt(session, progress);
    await clear(session);
    if (!beside) notes.push(...(await closePublicSchema(session, schema.toolMajor)));
    if (progress !== undefined) await endProgress(session, progress);
    const entries = await entriesFor(session);
    if (progress === undefined) return entries;
    if (await mayRecord(session)) await beginProgress(session, progress, entries?.map(({ id }) => id) ?? null);
    else {
      recorded = undefined;
      notes.push("How far the restore comes could not be recorded, since the role may not create schemas: if it fails, it begins anew.");
    }
    return entries;
  };

  /** Takes back what the earlier attempt may have done by halves. */
  const goOn = async (session: Session, { phase, entries, built }: ProgressRecord): Promise<readonly TocEntry[] | undefined> => {
    const all = readToc(content).entries;
    const ours = entries === null ? undefined : all.filter(({ id }) => entries.includes(id));
    if (phase === "definitions") {
      if (beside)
        await undoEntries(
          session,
          (ours ?? []).filter(({ section }) => section !== sections.postData),
        );
      else {
        await dropContent(session);
        await closePublicSchema(session, schema.toolMajor);
        await beginProgress(session, progress!, entries);
      }
    }
    if (phase === "finishing")
      await undoEntries(
        session,
        (ours ?? all).filter(({ id, section }) => section === sections.postData && !built.includes(id)),
      );
    if (phase !== "definitions") {
      await requireWholeOrEmpty(session);
      await emptyUnlogged(session, progress!, beside ? chosen.relations : undefined);
    }
    return ours;
  };

  const prepare = async (): Promise<Prepared> => {
    const [fitOptions, entries, earlier] = await withSession(address, "restore", signal, async (session) => {
      refuseOlderServer(session, schema);
      const moved = await planTablespaces(session);
      if (moved.size > 0) toc = withTablespaces(readToc(content), moved);
      archive = await openArchive(toc ?? content, address, session.version, schema.toolMajor);
      toc ??= readKnownToc(content);
      await refuse(session);
      const plan = await planOfRoles(session);
      await fitArchive(session, schema, { ...comingOf(plan), scratch, labels });
      touched = true;
      if (plan !== undefined) notes.push(...(await createRoles(session, plan)));
      const fitted = await fit(session);
      if (progress?.resume !== true) return [fitted, await startOver(session), undefined] as const;
      await readProgress(session, progress);
      await endEarlierAttempt(session, progress);
      const record = await readProgress(session, progress);
      return [fitted, await goOn(session, record), record] as const;
    });
    const applied = { options: fitOptions, entries: entries?.map(({ id }) => id), applicationName: applicationName(progress) };
    if (earlier === undefined || earlier.phase === "definitions") await archive!.restoreSection("pre-data", applied, signal);
    const mark = recorded;
    if (mark !== undefined && earlier?.phase !== "rows")
      await withSession(address, "restore", signal, (session) => setPhase(session, mark, "rows"));
    return {
      archive: archive!,
      fitOptions,
      entries,
      withLargeObjects: hasLargeObjects(part),
      written: earlier?.written ?? [],
      built: earlier?.built ?? [],
      toc,
      progress: recorded,
    };
  };

  const preview = (): Promise<RestorePreview> =>
    withSession(address, "restore", signal, async (session) => {
      refuseOlderServer(session, schema);
      await planTablespaces(session);
      await fit(session, await planOfRoles(session));
      if (progress?.resume === true) {
        const { written, phase } = await readProgress(session, progress);
        notes.push(`An earlier attempt came to the phase "${phase}" and has written ${written.length} parts, which stay.`);
        return { creates: [], drops: [], notes };
      }
      if (beside) {
        if (!options.replace) await refuseChosen(session, chosen);
        const drops = await chosenNamesThere(session, chosen);
        // Nothing is dropped here: what is chosen and will be is taken for absent.
        const named = new Set(chosen.relations.map(({ id }) => id));
        const present = await fitPart(session, { ...chosen, entries: chosen.entries.filter(({ id }) => !named.has(id)) });
        notes.push(...present.notes);
        const kept = new Set(present.entries.map(({ id }) => id));
        return { creates: countKinds(chosen.entries.filter(({ id }) => named.has(id) || kept.has(id))), drops, notes };
      }
      if (!options.replace) await refuseContent(session);
      return { creates: countKinds(chosen?.entries ?? readToc(content).entries), drops: await contentNames(session), notes };
    });

  return {
    notes,
    get touched() {
      return touched;
    },
    preview,
    prepare,
    close: async () => {
      await archive?.remove();
    },
  };
};

const schemaOf = (address: Address, definitions: readonly Definition[]): Definition => {
  for (const name of Object.values(definitionNames))
    if (name !== definitionNames.roles && !definitions.some((definition) => definition.name === name))
      throw new Failure("RestoreFailed", `restore into ${describe(address)}: the snapshot lacks its definition "${name}"`);
  return definitions.find(({ name }) => name === definitionNames.schema)!;
};
