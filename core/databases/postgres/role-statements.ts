import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import type { Membership, Role, RoleAttributes } from "./role-facts.ts";

const words: Readonly<Record<keyof RoleAttributes, string>> = {
  superuser: "SUPERUSER",
  inherit: "INHERIT",
  createRole: "CREATEROLE",
  createDatabase: "CREATEDB",
  login: "LOGIN",
  replication: "REPLICATION",
  bypassRls: "BYPASSRLS",
};

const attributeNames = Object.keys(words) as (keyof RoleAttributes)[];

/** Who restores: what they are, they can make others. */
export type Creator = RoleAttributes & { readonly serverVersion: number };

/** The attributes of a role that this creator may not give, as words of SQL. */
export const withheldAttributes = ({ attributes }: Role, creator: Creator): string[] =>
  attributeNames.filter((name) => attributes[name] && !mayGive(name, creator)).map((name) => words[name]);

const mayGive = (name: keyof RoleAttributes, creator: Creator): boolean => {
  if (creator.superuser || name === "inherit" || name === "login" || name === "createRole") return true;
  if (name === "superuser") return false;
  // Since 16 whoever may create roles gives what they have; before, some are for superusers to give.
  return creator.serverVersion >= 160_000 ? creator[name] : name === "createDatabase";
};

/** Without what the creator may not give. With the verifier, where it is known: a secret. */
export const createStatement = (role: Role, creator: Creator): string => {
  const withheld = new Set(withheldAttributes(role, creator));
  const given = attributeNames.filter((name) => role.attributes[name] && !withheld.has(words[name])).map((name) => words[name]);
  if (!role.attributes.inherit) given.push("NOINHERIT");
  if (role.connectionLimit >= 0) given.push(`CONNECTION LIMIT ${Number(role.connectionLimit)}`);
  if (role.verifier !== null) given.push(`PASSWORD ${quoteLiteral(role.verifier)}`);
  if (role.validUntil !== null) given.push(`VALID UNTIL ${quoteLiteral(role.validUntil)}`);
  return `CREATE ROLE ${quoteIdentifier(role.name)} WITH ${given.join(" ")}`;
};

/** `grantor` is named only where the target has it. */
export const grantStatement = (membership: Membership, serverVersion: number, grantor: string | null): string => {
  const { role, member, admin, inherit, set } = membership;
  const options = serverVersion >= 160_000 ? [`ADMIN ${admin ? "TRUE" : "FALSE"}`] : [];
  if (serverVersion >= 160_000 && inherit !== null) options.push(`INHERIT ${inherit ? "TRUE" : "FALSE"}`, `SET ${set ? "TRUE" : "FALSE"}`);
  if (serverVersion < 160_000 && admin) options.push("ADMIN OPTION");
  const clause = options.length === 0 ? "" : ` WITH ${options.join(", ")}`;
  const by = grantor === null ? "" : ` GRANTED BY ${quoteIdentifier(grantor)}`;
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${clause}${by}`;
};

/** Whoever grants needs the right to, so that has to be granted first: each after what gives its grantor the role's ADMIN option. */
export const inOrderOfGrant = (memberships: readonly Membership[]): Membership[] => {
  const ordered: Membership[] = [];
  let left = [...memberships];
  while (left.length > 0) {
    const ready = left.filter(
      ({ role, grantor }) => grantor === null || !left.some((other) => other.role === role && other.member === grantor && other.admin),
    );
    // Only what the catalog cannot hold goes in circles.
    const next = ready.length === 0 ? left : ready;
    ordered.push(...next);
    left = left.filter((membership) => !next.includes(membership));
  }
  return ordered;
};

/** How a role of the target differs from the snapshot's, in words; nothing of passwords. */
export const differencesOf = (wanted: Role, found: Role): string[] => {
  const differences = attributeNames
    .filter((name) => wanted.attributes[name] !== found.attributes[name])
    .map((name) => `${found.attributes[name] ? "" : "NO"}${words[name]}`);
  if (wanted.connectionLimit !== found.connectionLimit) differences.push(`CONNECTION LIMIT ${found.connectionLimit}`);
  if (wanted.validUntil !== found.validUntil) differences.push(`VALID UNTIL ${found.validUntil ?? "infinity"}`);
  if (JSON.stringify(wanted.settings) !== JSON.stringify(found.settings)) differences.push("other settings");
  if (wanted.comment !== found.comment) differences.push("another comment");
  return differences;
};
