import { Failure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import type { Session } from "./session.ts";
import { readable, type Toc } from "./toc.ts";

/** Where what was in one tablespace goes on the target. */
export interface TablespaceChoice {
  readonly from: string;
  readonly to: string;
}

export interface Places {
  /** By name in the snapshot, what is not to stay: a name on the target, or empty for the database's default. */
  readonly moved: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/**
 * Where each tablespace of a snapshot goes: as chosen; by its own name where the target has it; else into the database's default one.
 * Throws `UsageInvalid` where a choice cannot be followed.
 */
export const placeTablespaces = async (
  session: Session,
  names: readonly string[],
  choices: readonly TablespaceChoice[],
): Promise<Places> => {
  const where = describe(session.address);
  const targets = await session.query<{ name: string; usable: boolean; isDefault: boolean }>(
    `SELECT t.spcname::text AS name, has_tablespace_privilege(t.oid, 'CREATE') OR t.oid = d.dattablespace AS usable, t.oid = d.dattablespace AS "isDefault"
     FROM pg_tablespace t, pg_database d WHERE d.datname = current_database() AND t.spcname <> 'pg_global' ORDER BY 1`,
  );
  const byName = new Map(targets.map((target) => [target.name, target]));
  const moved = new Map<string, string>();
  for (const { from, to } of choices) {
    if (!names.includes(from))
      throw new Failure(
        "UsageInvalid",
        `the snapshot has nothing in a tablespace ${from}: it has ${names.length === 0 ? "none but the default" : names.join(", ")}`,
      );
    const target = byName.get(to);
    if (target === undefined)
      throw new Failure("UsageInvalid", `${where} has no tablespace ${to}: it has ${targets.map(({ name }) => name).join(", ")}`);
    if (!target.usable)
      throw new Failure(
        "UsageInvalid",
        `${where}: role "${session.address.user}" may not create in the tablespace ${to}: grant it CREATE ON TABLESPACE, or choose another`,
      );
    if (target.isDefault || to !== from) moved.set(from, target.isDefault ? "" : to);
  }
  const chosen = new Set(choices.map(({ from }) => from));
  const unusable = names.filter((name) => !chosen.has(name) && byName.get(name)?.usable !== true);
  for (const name of unusable) moved.set(name, "");
  const notes =
    unusable.length === 0
      ? []
      : [
          `What was in the tablespaces ${unusable.join(", ")} was restored into the database's default one, since the target lacks them or the restoring role may not use them (--tablespace OLD=NEW chooses another).`,
        ];
  return { moved, notes };
};

/** The archive with other tablespaces. Only entries name them: pg_restore sets `default_tablespace` before each. */
export const withTablespaces = (toc: Toc, moved: ReadonlyMap<string, string>): Toc => ({
  ...toc,
  entries: toc.entries.map((entry) => {
    const place = entry.tablespace === undefined ? undefined : moved.get(readable(entry.tablespace));
    return place === undefined ? entry : { ...entry, tablespace: Buffer.from(place, "utf8").toString("latin1") };
  }),
});
