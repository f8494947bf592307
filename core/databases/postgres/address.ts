import { userInfo } from "node:os";
import { Failure } from "../../domain/failure.ts";

/** Where a database is and how to get in, taken from a `postgres://` URL. Both `pg` and libpq's programs are told the same. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: TlsMode;
  /** Paths of certificate files, as in libpq. */
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Passed to the server as they are; some hosts route by them (`endpoint=…`). */
  readonly options: string | undefined;
}

const tlsModes = ["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"] as const;
export type TlsMode = (typeof tlsModes)[number];

const isLocal = (host: string): boolean => host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);

const invalid = (why: string): Failure => new Failure("ConfigurationInvalid", `the URL of a PostgreSQL database is not valid: ${why}`);

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("it holds a % that is not followed by two hexadecimal digits; write a literal % as %25");
  }
};

const parseUrl = (text: string): URL => {
  // The error of `new URL` repeats the whole text, password included: it must not become a cause.
  const url = URL.parse(text);
  if (url === null) throw invalid("write it as postgres://user:password@host:5432/database, with reserved characters as %XX");
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw invalid("it does not start with postgres://");
  return url;
};

const parseTls = (text: string | null, host: string): TlsMode => {
  if (text === null) return isLocal(host) ? "disable" : "prefer";
  const mode = tlsModes.find((known) => known === text);
  if (mode === undefined && text !== "allow") throw invalid(`sslmode must be one of ${tlsModes.join(", ")}`);
  return mode ?? "prefer";
};

/** Reads a URL as libpq does (`sslmode`, `sslrootcert`, `host` for a socket folder …). Throws `ConfigurationInvalid`. */
export const parseAddress = (text: string): Address => {
  const url = parseUrl(text);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const host = parameter("host") ?? (decoded(url.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost");
  if (host.includes(",")) throw invalid("only one host can be named");
  const port = Number(parameter("port") ?? (url.port || "5432"));
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid("the port must be a number from 1 to 65535");
  const user = parameter("user") ?? (decoded(url.username) || userInfo().username);
  const password = parameter("password") ?? (url.password === "" ? undefined : decoded(url.password));
  const database = parameter("dbname") ?? (decoded(url.pathname.replace(/^\//, "")) || user);
  return {
    host,
    port,
    user,
    password,
    database,
    tls: parseTls(url.searchParams.get("sslmode"), host),
    rootCertificate: parameter("sslrootcert"),
    certificate: parameter("sslcert"),
    key: parameter("sslkey"),
    options: parameter("options"),
  };
};

/** The same URL, for another database of the same server. */
export const withDatabase = (text: string, database: string): string => {
  const url = parseUrl(text);
  url.searchParams.delete("dbname");
  // `pg` leaves these escapes as they are, and they mean themselves in a path.
  url.pathname = `/${encodeURIComponent(database).replaceAll(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)}`;
  return url.href;
};

/** `database "shop" at db.example.com:5432`: for the text of failures. */
export const describe = (address: Address): string =>
  `database "${address.database}" at ${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;

/** The text without the password, in case a server or a program repeats it. */
export const withoutPassword = (address: Address, text: string): string => {
  const { password } = address;
  if (password === undefined || password.length < 3) return text;
  return text.replaceAll(password, "***").replaceAll(encodeURIComponent(password), "***");
};

/** libpq's environment for a child program. Nothing of our own environment but what programs need to start; never an argument, which `ps` shows. */
export const libpqEnvironment = (address: Address): Record<string, string> => {
  const environment: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PGPASSFILE", "SystemRoot"]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) environment[name] = value;
  };
  set("LC_ALL", "C");
  set("PGHOST", address.host);
  set("PGPORT", String(address.port));
  set("PGUSER", address.user);
  set("PGPASSWORD", address.password ?? process.env.PGPASSWORD);
  set("PGDATABASE", address.database);
  set("PGAPPNAME", "dbgov");
  set("PGCONNECT_TIMEOUT", "15");
  set("PGSSLMODE", address.tls === "no-verify" ? "require" : address.tls);
  set("PGSSLROOTCERT", address.rootCertificate ?? (address.tls === "verify-full" ? "system" : undefined));
  set("PGSSLCERT", address.certificate);
  set("PGSSLKEY", address.key);
  set("PGOPTIONS", address.options);
  return environment;
};
