import { Failure } from "../../domain/failure.ts";

/** What a connection string or URL says, with the words that may be shown. */
export interface Address {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The account's key, base64 as Azure shows it. */
  readonly key: string;
  readonly databaseName: string;
  /** The share of the provisioned request units per second that may be used, above 0 and at most 1. */
  readonly share: number;
  /** `host/database`, never a key. */
  readonly label: string;
  /** `text` with the key taken out, as written and as a URL has it. */
  scrub(text: string): string;
}

/** Half of what the application has, unless the connection says otherwise. */
const defaultShare = 0.5;
const fields = ["AccountEndpoint", "AccountKey", "Database", "RequestUnitShare"] as const;
type Field = (typeof fields)[number];

const forms =
  "it must look like AccountEndpoint=https://ACCOUNT.documents.azure.com:443/;AccountKey=KEY;Database=NAME or https://:KEY@ACCOUNT.documents.azure.com:443/NAME with / + = of the key percent-encoded";

const malformed = (why: string, cause?: unknown): Failure =>
  new Failure("ConfigurationInvalid", `The Cosmos DB connection is not usable: ${why}.`, cause === undefined ? {} : { cause });

/**
 * Reads a connection string as the Azure portal shows it, with `Database=NAME` added, or its form as a URL. Both may
 * say `RequestUnitShare=0.25` (in a URL `?requestUnitShare=0.25`).
 */
export function parseAddress(text: string): Address {
  const given = /^\s*https?:\/\//i.test(text) ? fieldsOfUrl(text.trim()) : fieldsOfString(text);
  const endpoint = parseEndpoint(given.AccountEndpoint);
  const key = given.AccountKey ?? "";
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(key)) throw malformed("its account key is missing or is not base64");
  const databaseName = given.Database ?? "";
  if (databaseName === "") throw malformed(`it names no database; add ;Database=NAME (in a URL /NAME) for ${endpoint.host}`);
  requireDatabaseName(databaseName);
  const share = given.RequestUnitShare === undefined ? defaultShare : Number(given.RequestUnitShare);
  if (!(share > 0 && share <= 1)) throw malformed("its RequestUnitShare must be a number above 0 and at most 1");
  const shown = [key, encodeURIComponent(key)];
  return {
    origin: endpoint.origin,
    key,
    databaseName,
    share,
    label: `${endpoint.host}/${databaseName}`,
    scrub: (words) => shown.reduce((kept, secret) => kept.replaceAll(secret, "***"), words),
  };
}

/** Throws `ConfigurationInvalid` for a name that Cosmos DB does not take. */
export function requireDatabaseName(name: string): void {
  if (/[/\\?#]|\s$/.test(name) || name.length > 255) throw malformed("its database name holds a character that Cosmos DB does not allow");
}

/** The same connection, as a connection string, for another database. */
export function withDatabase(text: string, databaseName: string): string {
  const { origin, key, share } = parseAddress(text);
  requireDatabaseName(databaseName);
  if (databaseName.includes(";")) throw malformed("a database name with a semicolon can stand only in a URL");
  return `AccountEndpoint=${origin}/;AccountKey=${key};Database=${databaseName};RequestUnitShare=${share}`;
}

type Given = Partial<Record<Field, string>>;

function fieldsOfString(text: string): Given {
  const given: Given = {};
  for (const pair of text.split(";").filter((part) => part.trim() !== "")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim().toLowerCase();
    const field = fields.find((each) => each.toLowerCase() === name);
    // What stands there may be a piece of the key, so it is not repeated.
    if (at < 0 || field === undefined) throw malformed(`it has a field other than ${fields.join(", ")}; ${forms}`);
    given[field] = field === "Database" ? pair.slice(at + 1) : pair.slice(at + 1).trim();
  }
  return given;
}

function fieldsOfUrl(text: string): Given {
  try {
    const url = new URL(text);
    const options = [...url.searchParams].map(([name, value]) => [name.toLowerCase(), value] as const);
    if (options.some(([name]) => name !== "requestunitshare")) throw malformed("the only option that its URL may have is requestUnitShare");
    const share = options[0]?.[1];
    return {
      AccountEndpoint: url.origin,
      AccountKey: decodeURIComponent(url.password),
      Database: decodeURIComponent(url.pathname.replace(/^\//, "").replace(/\/$/, "")),
      ...(share === undefined ? {} : { RequestUnitShare: share }),
    };
  } catch (cause) {
    throw cause instanceof Failure ? cause : malformed(forms, cause);
  }
}

function parseEndpoint(text: string | undefined): URL {
  if (text === undefined) throw malformed(`it has no AccountEndpoint; ${forms}`);
  const endpoint = URL.canParse(text) ? new URL(text) : undefined;
  if (endpoint === undefined || !["https:", "http:"].includes(endpoint.protocol) || !["", "/"].includes(endpoint.pathname))
    throw malformed(`its AccountEndpoint is no https address of an account; ${forms}`);
  if (endpoint.protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(endpoint.hostname))
    throw malformed("its AccountEndpoint must be https, except for an emulator on this machine");
  return endpoint;
}
