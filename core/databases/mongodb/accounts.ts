import { BSON, type Document, MongoServerError } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { Definition } from "../engine.ts";
import type { Connection } from "./connection.ts";
import { serverWords } from "./failures.ts";

/** The name of the stream of users and roles; no collection can have it. */
export const accountsStream = "$users";

/** The database's own roles whole, and its users without what they authenticate by, which stays on the server. */
export interface Accounts {
  /** Where they are from: privileges name the database that they are for. */
  readonly database: string;
  readonly roles: readonly { readonly role: string; readonly privileges: readonly Document[]; readonly roles: readonly RoleName[] }[];
  readonly users: readonly { readonly user: string; readonly roles: readonly RoleName[]; readonly customData?: Document }[];
}

interface RoleName {
  readonly role: string;
  readonly db: string;
}

const ejson = { relaxed: false } as const;

/** Undefined where the server does not list them, or not to this user. */
export async function listAccounts(connection: Connection): Promise<Accounts | undefined> {
  try {
    const { roles = [] } = await connection.run({ rolesInfo: 1, showPrivileges: true });
    const { users = [] } = await connection.run({ usersInfo: 1 });
    return {
      database: connection.address.databaseName,
      roles: (roles as Document[]).map(({ role, privileges, roles: inherited }) => ({ role, privileges, roles: inherited })),
      users: (users as Document[]).map(({ user, roles: held, customData }) => ({
        user,
        roles: held,
        ...(customData === undefined ? {} : { customData }),
      })),
    };
  } catch (error) {
    if (error instanceof MongoServerError) return undefined;
    throw error;
  }
}

export const writeAccounts = (accounts: Accounts): Uint8Array => Buffer.from(`${BSON.EJSON.stringify(accounts, ejson)}\n`);

/** Those of a snapshot; undefined when it has none. */
export function accountsIn(definitions: readonly Definition[]): Accounts | undefined {
  const stream = definitions.find(({ name }) => name === accountsStream);
  if (stream === undefined) return undefined;
  try {
    return BSON.EJSON.parse(Buffer.from(stream.content).toString("utf8")) as Accounts;
  } catch (cause) {
    throw new Failure("RestoreFailed", "The snapshot's MongoDB users and roles are not Extended JSON.", { cause });
  }
}

/**
 * Makes the roles anew, for the database that is restored into. MongoDB gives nobody's password back: users are named in the notes, as
 * is whatever the server does not allow.
 */
export async function restoreAccounts(connection: Connection, { database, roles, users }: Accounts, replace: boolean): Promise<string[]> {
  const here = connection.address.databaseName;
  const notes: string[] = [];
  const moved = <T extends { readonly db?: unknown }>(named: T): T => (named.db === database ? { ...named, db: here } : named);
  const attempt = async (what: string, command: Document): Promise<void> => {
    try {
      await connection.run(command);
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
      notes.push(`${what}: ${serverWords(error)}.`);
    }
  };
  const known = new Set(replace ? (await listAccounts(connection))?.roles.map(({ role }) => role) : []);
  for (const { role, privileges } of roles) {
    const rights = privileges.map((privilege) => ({ ...privilege, resource: moved(privilege.resource) }));
    const verb = known.has(role) ? "updateRole" : "createRole";
    await attempt(`Role ${JSON.stringify(role)} was not restored`, { [verb]: role, privileges: rights, roles: [] });
  }
  // Only now, for roles may inherit from one another.
  for (const { role, roles: inherited } of roles)
    if (inherited.length > 0)
      await attempt(`Role ${JSON.stringify(role)} did not get the roles it inherits`, {
        grantRolesToRole: role,
        roles: inherited.map(moved),
      });
  for (const { user, roles: held } of users) {
    const names = held.map(({ role, db }) => `${role}@${db === database ? here : db}`).join(", ");
    notes.push(
      `User ${JSON.stringify(user)} (${names === "" ? "no roles" : names}) is to be created with a password anew: MongoDB gives none back.`,
    );
  }
  return notes;
}
