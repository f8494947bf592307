import { Failure, isFailure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { listed, majorOf } from "./findings.ts";
import { quoteIdentifier } from "./quoting.ts";
import type { Session } from "./session.ts";
import type { SchemaTarget } from "./targets.ts";
import type { TocEntry } from "./toc.ts";

/** How an archive has to be restored into this server, and what that leaves out. */
export interface Fit {
  readonly options: readonly string[];
  readonly notes: readonly string[];
  /** Policies are left out, since roles that they name are missing. */
  readonly withoutPolicies: boolean;
}

/** What a restore knows beyond the server, when it asks how an archive fits. */
export interface FitCircumstances {
  /** Roles that will be there, and whether the restoring role will be able to act as them. */
  readonly coming: ReadonlySet<string>;
  readonly actsAsComing: boolean;
  /** The target is a scratch database, for which nothing is made on its server: policies without their roles are left out. */
  readonly scratch: boolean;
  /** Definitions of security labels. */
  readonly labels: readonly string[];
}

/** Roles that are missing, or that the restoring role could not give objects to: since 16 that takes more than to be a member. */
const unusableRoles = async (session: Session, names: readonly string[]): Promise<string[]> => {
  const usable = session.version >= 160_000 ? "pg_has_role(r.oid, 'USAGE') AND pg_has_role(r.oid, 'SET')" : "pg_has_role(r.oid, 'MEMBER')";
  const rows = await session.query<{ name: string }>(
    `SELECT wanted AS name FROM unnest($1::text[]) AS wanted LEFT JOIN pg_roles r ON r.rolname = wanted
     WHERE r.oid IS NULL OR NOT (${usable})`,
    [names],
  );
  return rows.map((row) => row.name);
};

const missing = async (session: Session, names: readonly string[]): Promise<string[]> => {
  const rows = await session.query<{ name: string }>(
    "SELECT wanted AS name FROM unnest($1::text[]) AS wanted WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)",
    [names],
  );
  return rows.map((row) => row.name);
};

/** Throws where the server is older than the source. */
export const refuseOlderServer = (session: Session, { serverVersion }: SchemaTarget): void => {
  if (majorOf(session.version) < majorOf(serverVersion))
    throw new Failure(
      "EngineUnsupported",
      `${describe(session.address)} is PostgreSQL ${majorOf(session.version)}, the snapshot is of PostgreSQL ${majorOf(serverVersion)}: restore into that version or a newer one`,
    );
};

/**
 * Owners and grants are kept when every role they name is there and usable; otherwise everything belongs to the restoring role.
 * Throws when the server lacks roles that policies name.
 */
export const fitArchive = async (
  session: Session,
  schema: SchemaTarget,
  { coming, actsAsComing, scratch, labels }: FitCircumstances,
): Promise<Fit> => {
  const notComing = (names: readonly string[]): string[] => names.filter((name) => !coming.has(name));
  const forPolicies = await missing(session, notComing(schema.roles.policies));
  if (forPolicies.length > 0 && !scratch)
    throw new Failure(
      "RestoreFailed",
      `${describe(session.address)} lacks roles that row-level security policies of the snapshot name, and this restore cannot create them: create ${forPolicies.join(", ")} first, or restore as a superuser or with CREATEROLE (and without --no-roles)`,
    );
  const options: string[] = [];
  const notes: string[] = [];
  if (forPolicies.length > 0) notes.push(`Policies were left out, since these roles are missing on the target: ${forPolicies.join(", ")}.`);
  const owners = await unusableRoles(session, actsAsComing ? notComing(schema.roles.owners) : schema.roles.owners);
  const grantees = await missing(session, notComing(schema.roles.grantees));
  if (owners.length + grantees.length > 0) {
    options.push("--no-owner", "--no-acl");
    const roles = [...new Set([...owners, ...grantees])].join(", ");
    const remedy = scratch
      ? ""
      : " To have them, restore as a superuser, or create the roles and make the restoring role a member of the owners.";
    notes.push(
      `Owners and grants were not restored, since these roles are missing on the target, or the restoring role may not act as them: ${roles}.${remedy}`,
    );
  }
  const unspeakable = await unspeakableSubscriptions(session, schema);
  if (unspeakable !== undefined) {
    options.push("--no-subscriptions");
    notes.push(`Subscriptions were not restored (${(schema.subscriptions ?? []).join(", ")}): ${unspeakable}.`);
  }
  const unloaded = await unloadedProviders(session, schema.labelProviders ?? []);
  if (unloaded.length > 0) {
    options.push("--no-security-labels");
    notes.push(
      `Security labels were not restored (${labeledBy(unloaded, labels)}), since the target's server has not loaded who gave them: ${unloaded.join(", ")}. To have them, load it there (shared_preload_libraries), and restore again.`,
    );
  }
  return { options, notes, withoutPolicies: forPolicies.length > 0 };
};

/** Without policies and what is said about them. Tables stay under row-level security, which then shows their rows to nobody but the owner. */
export const dropPolicies = (entries: readonly TocEntry[]): TocEntry[] => {
  const policies = new Set(entries.filter(({ kind }) => kind === "POLICY").map(({ id }) => id));
  return entries.filter(({ id, needs }) => !policies.has(id) && !needs.some((need) => policies.has(need)));
};

/** Why subscriptions cannot be created here; undefined when they can, or there are none. */
const unspeakableSubscriptions = async (session: Session, { subscriptions, toolMajor }: SchemaTarget): Promise<string | undefined> => {
  if (subscriptions === undefined || subscriptions.length === 0) return undefined;
  // Each version of pg_dump names options of its own version: since 16 one that no older server knows.
  if (toolMajor >= 16 && majorOf(session.version) < 16)
    return `pg_dump ${toolMajor} wrote them in words that PostgreSQL ${majorOf(session.version)} does not know`;
  const [right] = await session.query<{ mayCreate: boolean }>(
    "SELECT current_setting('is_superuser')::boolean OR pg_has_role(coalesce(to_regrole('pg_create_subscription'), current_user::regrole)::oid, 'MEMBER') AND to_regrole('pg_create_subscription') IS NOT NULL AS \"mayCreate\"",
  );
  return right?.mayCreate === true ? undefined : "the restoring role may not create subscriptions";
};

/** The first few objects that these providers have labeled. */
const labeledBy = (providers: readonly string[], labels: readonly string[]): string => {
  const given = labels.flatMap((text) => [...text.matchAll(/^SECURITY LABEL FOR (".+?"|\S+) ON (.+?) IS '/gm)]);
  const objects = given.flatMap(([, provider = "", object = ""]) =>
    providers.some((name) => provider === name || provider === quoteIdentifier(name)) ? [object] : [],
  );
  return listed(objects);
};

/** Asks for a label that is no label, and takes it back: the answer says whether the provider is there. */
const unloadedProviders = async (session: Session, providers: readonly string[]): Promise<string[]> => {
  const unloaded: string[] = [];
  for (const provider of providers) {
    await session.query("BEGIN");
    try {
      await session.query(`SECURITY LABEL FOR ${quoteIdentifier(provider)} ON SCHEMA public IS NULL`);
    } catch (error) {
      if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
      if (/is not loaded/.test(error.message)) unloaded.push(provider);
    }
    await session.query("ROLLBACK");
  }
  return unloaded;
};
