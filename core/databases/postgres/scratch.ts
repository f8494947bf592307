import { Failure } from "../../domain/failure.ts";
import { type Address, describe } from "./address.ts";
import { dropSubscriptions } from "./drop-content.ts";
import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import { type Session, withSession } from "./session.ts";

interface Locale {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** c: libc, i: ICU, b: built in. */
  readonly provider: "c" | "i" | "b";
  readonly locale: string | null;
  readonly rules: string | null;
}

/** The catalog's columns for locales were renamed in 15, 16 and 17: taken from the row as JSON, they can be asked for by any name. */
const localeSql = `
  SELECT pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
    coalesce(to_jsonb(d)->>'datlocprovider', 'c') AS provider,
    coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale, to_jsonb(d)->>'daticurules' AS rules
  FROM pg_database d WHERE d.datname = current_database()`;

const localeClauses = (locale: Locale): string => {
  const clauses = [
    `ENCODING ${quoteLiteral(locale.encoding)}`,
    `LC_COLLATE ${quoteLiteral(locale.collate)}`,
    `LC_CTYPE ${quoteLiteral(locale.ctype)}`,
  ];
  if (locale.provider === "i") clauses.push(`LOCALE_PROVIDER icu ICU_LOCALE ${quoteLiteral(locale.locale ?? "")}`);
  if (locale.provider === "b") clauses.push(`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${quoteLiteral(locale.locale ?? "")}`);
  if (locale.provider === "i" && locale.rules !== null) clauses.push(`ICU_RULES ${quoteLiteral(locale.rules)}`);
  return clauses.join(" ");
};

const refuseItself = (address: Address, name: string): void => {
  if (name === address.database)
    throw new Failure("UsageInvalid", `${describe(address)}: a scratch database cannot have the name of the database itself`);
};

/** A database with subscriptions cannot be dropped; a restored one may have them. Their publishers are not asked. */
const drop = async (session: Session, name: string, signal: AbortSignal): Promise<void> => {
  const [subscribed] = await session.query<{ some: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1) AS some",
    [name],
  );
  if (subscribed?.some === true) await withSession({ ...session.address, database: name }, "restore", signal, dropSubscriptions);
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
};

/** Creates an empty database with the encoding and locale of the one at `address`; one of that name is dropped first. */
export const createScratchDatabase = (address: Address, name: string, signal: AbortSignal): Promise<void> => {
  refuseItself(address, name);
  return withSession(address, "restore", signal, async (session) => {
    await drop(session, name, signal);
    const [locale] = await session.query<Locale>(localeSql);
    await session.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0 ${localeClauses(locale!)}`);
  });
};

export const dropScratchDatabase = (address: Address, name: string, signal: AbortSignal): Promise<void> => {
  refuseItself(address, name);
  return withSession(address, "restore", signal, async (session) => {
    await drop(session, name, signal);
  });
};
