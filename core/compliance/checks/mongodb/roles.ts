import type { Document } from "mongodb";
import type { MongoCheck } from "../../check.ts";
import { fail, inconclusive, type Json, notApplicable, pass, type Verdict } from "../../finding.ts";

/** Built-in roles with which somebody can do anything, or grant themselves anything. */
const rootLike = new Set(["root", "__system", "userAdminAnyDatabase", "restore"]);
const rootLikeOnAdmin = new Set(["userAdmin", "dbOwner"]);
const writesAnything = new Set(["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterAdmin"]);

interface RoleName {
  readonly role: string;
  readonly db: string;
}

const rolesOf = (value: unknown): RoleName[] =>
  (Array.isArray(value) ? (value as Document[]) : []).map(({ role, db }) => ({ role: String(role), db: String(db) }));

const isRootLike = ({ role, db }: RoleName): boolean => rootLike.has(role) || (db === "admin" && rootLikeOnAdmin.has(role));

const listUsers = { usersInfo: { forAllDBs: true } };
const evidenceOf = (users: readonly Document[], all: number): Json => ({
  command: listUsers,
  database: "admin",
  users: all,
  concerned: users.map(({ user, db, roles, mechanisms }) => ({
    user: String(user),
    database: String(db),
    roles: rolesOf(roles).map(({ role, db: on }) => `${role}@${on}`),
    mechanisms: Array.isArray(mechanisms) ? mechanisms.map(String) : [],
  })),
});

const withUsers = async (
  command: (command: Document, database: string) => Promise<Document>,
  judge: (users: Document[]) => Verdict,
): Promise<Verdict> => {
  const users = (await command(listUsers, "admin")).users;
  if (!Array.isArray(users)) return inconclusive("The server did not list its users.", { command: listUsers, database: "admin" });
  if (users.length === 0) return inconclusive("The server lists no user: they are kept elsewhere, or there are none.", evidenceOf([], 0));
  return judge(users as Document[]);
};

const userPermission = "the action viewUser on every database, as in the role userAdminAnyDatabase or a custom role";

export const mongodbRootUsers: MongoCheck = {
  id: "mongodb-root-users",
  appliesTo: "mongodb",
  title: "At most one MongoDB user can do everything",
  severity: "high",
  rationale: "A user with root or userAdminAnyDatabase passes by every other control; each one more is a way around them.",
  remedy: "Take the roles named from the users named with revokeRolesFromUser, and grant what their work needs.",
  permission: userPermission,
  run: (session) =>
    withUsers(session.command, (users) => {
      const mighty = users.filter(({ roles }) => rolesOf(roles).some(isRootLike));
      const evidence = evidenceOf(mighty, users.length);
      return mighty.length <= 1
        ? pass(`${mighty.length === 0 ? "None" : "One"} of ${users.length} users can do everything.`, evidence)
        : fail(`${mighty.length} of ${users.length} users can do everything.`, evidence);
    }),
};

export const mongodbPasswordHashes: MongoCheck = {
  id: "mongodb-password-hashes",
  appliesTo: "mongodb",
  title: "MongoDB passwords are kept for SCRAM-SHA-256 only",
  severity: "medium",
  rationale: "SCRAM-SHA-1 credentials rest on an MD5 digest of the password, and are guessed far faster when they are stolen.",
  remedy: "Call updateUser with mechanisms: ['SCRAM-SHA-256'] and a new password for the users named.",
  permission: userPermission,
  run: (session) =>
    withUsers(session.command, (users) => {
      const withPassword = users.filter(({ mechanisms }) => Array.isArray(mechanisms) && mechanisms.length > 0);
      if (withPassword.length === 0)
        return inconclusive("The server does not say how its users' passwords are kept.", evidenceOf([], users.length));
      const weak = withPassword.filter(({ mechanisms }) => (mechanisms as unknown[]).includes("SCRAM-SHA-1"));
      const evidence = evidenceOf(weak, users.length);
      return weak.length === 0
        ? pass(`All ${withPassword.length} passwords are kept for SCRAM-SHA-256 only.`, evidence)
        : fail(`${weak.length} of ${withPassword.length} passwords can still be used with SCRAM-SHA-1.`, evidence);
    }),
};

const whoAmI = { connectionStatus: 1 };

export const mongodbBackupUser: MongoCheck = {
  id: "mongodb-backup-user",
  appliesTo: "mongodb",
  title: "The user that reads backups cannot administer MongoDB or write all data",
  severity: "medium",
  rationale:
    "Backup credentials are kept on machines that run unattended. Whoever takes them should be able to read, not to change or to destroy.",
  remedy: "Use a user of its own for backups, with the role backup or readAnyDatabase (or read on the one database).",
  permission: "nothing",
  async run(session) {
    const { authInfo } = await session.command(whoAmI, "admin");
    const users = (authInfo as Document | undefined)?.authenticatedUsers;
    const roles = rolesOf((authInfo as Document | undefined)?.authenticatedUserRoles);
    const evidence = {
      command: whoAmI,
      authenticatedUsers: Array.isArray(users) ? users.length : null,
      roles: roles.map(({ role, db }) => `${role}@${db}`),
    };
    if (!Array.isArray(users)) return inconclusive("The server does not say who is connected.", evidence);
    if (users.length === 0) {
      return notApplicable(
        "The connection is nobody's: whether the server lets that happen is judged by mongodb-authentication.",
        evidence,
      );
    }
    const tooMuch = roles.filter((name) => isRootLike(name) || writesAnything.has(name.role));
    return tooMuch.length === 0
      ? pass("The user that reads backups has no administrative roles.", evidence)
      : fail(`The user that reads backups has ${tooMuch.map(({ role }) => role).join(", ")}.`, evidence);
  },
};
