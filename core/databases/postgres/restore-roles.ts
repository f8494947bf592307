import { isFailure } from "../../domain/failure.ts";
import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import { type Membership, membershipColumns, type Role, type RoleFacts, roleColumns } from "./role-facts.ts";
import { type Creator, createStatement, differencesOf, grantStatement, inOrderOfGrant, withheldAttributes } from "./role-statements.ts";
import type { Session } from "./session.ts";
import { letsNobodyIn, setClause } from "./setting-values.ts";

/** What a restore does about the roles of a snapshot. */
export interface RolePlan {
  readonly creates: readonly Role[];
  /** Of the created ones. */
  readonly memberships: readonly Membership[];
  readonly creator: Creator;
  /** Missing, and not to be created by the restoring role. */
  readonly missing: readonly string[];
  readonly notes: readonly string[];
}

/** Looks which roles the target lacks, and how those that it has differ. They stay as they are: others may depend on them. */
export const planRoles = async (session: Session, { roles, memberships, verifiersKnown }: RoleFacts): Promise<RolePlan> => {
  const names = roles.map(({ name }) => name);
  const found = await session.query<Role>(`SELECT ${roleColumns("NULL::text")} FROM pg_roles r WHERE r.rolname = ANY ($1::text[])`, [
    names,
  ]);
  const members = await session.query<Membership>(`SELECT ${membershipColumns} WHERE r.rolname = ANY ($1::text[])`, [names]);
  const [self] = await session.query<Role>(`SELECT ${roleColumns("NULL::text")} FROM pg_roles r WHERE r.rolname = current_user`);
  const creator: Creator = { ...self!.attributes, serverVersion: session.version };
  const there = new Map(found.map((role) => [role.name, role]));
  const absent = roles.filter(({ name }) => !there.has(name));
  const mayCreate = creator.superuser || creator.createRole;
  const creates = mayCreate ? absent : [];
  const created = new Set(creates.map(({ name }) => name));

  const belongs = new Set(members.map(({ role, member }) => JSON.stringify([role, member])));
  const differing = roles.flatMap((role) => {
    const present = there.get(role.name);
    if (present === undefined) return [];
    const lacking = memberships
      .filter(({ role: group, member }) => member === role.name && !belongs.has(JSON.stringify([group, member])))
      .map(({ role: group }) => `no member of ${group}`);
    const differences = [...differencesOf(role, present), ...new Set(lacking)];
    return differences.length === 0 ? [] : [`${role.name} (${differences.join(", ")})`];
  });

  const notes: string[] = [];
  const note = (list: readonly string[], sentence: (names: string) => string): void => {
    if (list.length > 0) notes.push(sentence(list.join(", ")));
  };
  note([...created], (list) => `Roles that the target lacks are created: ${list}.`);
  note(
    verifiersKnown ? [] : creates.filter(({ attributes }) => attributes.login).map(({ name }) => name),
    (list) => `The snapshot does not hold the passwords of ${list}: they have none until you set one (ALTER ROLE … PASSWORD).`,
  );
  note(
    creates.flatMap((role) => {
      const withheld = withheldAttributes(role, creator);
      return withheld.length === 0 ? [] : [`${role.name} (${withheld.join(", ")})`];
    }),
    (list) => `Created without what the restoring role may not give: ${list}.`,
  );
  note(differing, (list) => `Roles that the target has already stay as they are; there they are, unlike in the snapshot: ${list}.`);
  return {
    ...{ creates, creator, notes },
    memberships: memberships.filter(({ member }) => created.has(member)),
    missing: mayCreate ? [] : absent.map(({ name }) => name),
  };
};

/** Keeps statements with verifiers out of the server's log; only a superuser can. */
const quietly = "SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'panic'; SET LOCAL log_min_duration_statement = -1";

/** Creates what is planned, all of it in one transaction. Returns what the target refused, in sentences. */
export const createRoles = async (session: Session, { creates, memberships, creator }: RolePlan): Promise<string[]> => {
  if (creates.length === 0) return [];
  const refused: string[] = [];
  /** The first of these statements that the target takes. */
  const attempt = async (what: string, ...statements: readonly string[]): Promise<boolean> => {
    let state = "";
    for (const sql of statements) {
      await session.query("SAVEPOINT one");
      try {
        await session.query(sql);
        return true;
      } catch (error) {
        if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
        await session.query("ROLLBACK TO SAVEPOINT one");
        state = stateOf(error);
      }
    }
    refused.push(`${what} (${state})`);
    return false;
  };
  const describeRole = async ({ name, comment, settings }: Role): Promise<void> => {
    const role = quoteIdentifier(name);
    if (comment !== null) await attempt(`comment of ${name}`, `COMMENT ON ROLE ${role} IS ${quoteLiteral(comment)}`);
    for (const setting of settings) {
      const what = `${setting.name} of ${name}`;
      if (letsNobodyIn(setting.name)) refused.push(what);
      else await attempt(what, `ALTER ROLE ${role} ${setClause(setting.name, setting.value)}`);
    }
  };
  await session.query("BEGIN");
  try {
    if (creator.superuser) await session.query(quietly);
    const made = new Set<string>();
    for (const role of creates) if (await attempt(`role ${role.name}`, createStatement(role, creator))) made.add(role.name);
    for (const role of creates) if (made.has(role.name)) await describeRole(role);
    const grantors = await existing(session, memberships);
    for (const membership of inOrderOfGrant(memberships)) {
      const { role, member, grantor } = membership;
      if (!made.has(member)) continue;
      // Before 16 a role could be named as the grantor that may not grant, or does no more.
      const by = grantor !== null && creator.superuser && grantors.has(grantor) ? [grantor] : [];
      const statements = [...by, null].map((name) => grantStatement(membership, session.version, name));
      await attempt(`${member} as a member of ${role}`, ...statements);
    }
    await session.query("COMMIT");
  } catch (error) {
    await session.query("ROLLBACK").catch(() => undefined); // the connection is gone, and with it the transaction
    throw error;
  }
  return refused.length === 0 ? [] : [`Of roles, the target or the rights of the restoring role did not allow: ${refused.join(", ")}.`];
};

const existing = async (session: Session, memberships: readonly Membership[]): Promise<Set<string>> => {
  const wanted = memberships.flatMap(({ grantor }) => (grantor === null ? [] : [grantor]));
  const rows = await session.query<{ name: string }>("SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY ($1::text[])", [
    wanted,
  ]);
  return new Set(rows.map(({ name }) => name));
};

/** The SQLSTATE alone: no words of the server's, which could repeat a part of the statement. */
const stateOf = (error: Error): string => (error.cause as { code?: string } | undefined)?.code ?? error.name;

/** Roles that are created before anything refers to them. A superuser can act as any; others would have to be made members first. */
export const comingOf = (plan: RolePlan | undefined): { coming: ReadonlySet<string>; actsAsComing: boolean } => ({
  coming: new Set(plan?.creates.map(({ name }) => name)),
  actsAsComing: plan?.creator.superuser === true,
});
