import { Failure } from "../../domain/failure.ts";

/** What a connection URL says, with the words that may be shown. */
export interface Address {
  readonly url: string;
  readonly databaseName: string;
  /** `host:port/database`, never a user or password. */
  readonly label: string;
  /** `text` with the URL's user name and password taken out, as written and as decoded. */
  scrub(text: string): string;
}

const shape = /^(mongodb(?:\+srv)?:\/\/)(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(\?.*)?$/s;
// One host: a name, an IPv6 address in brackets, or a percent-encoded socket path.
const host = /^(?:\[[0-9a-fA-F:.%]+\]|[^\s:[\]]+)(?::\d{1,5})?$/;

const malformed = (why: string): Failure => new Failure("ConfigurationInvalid", `The MongoDB URL is not usable: ${why}.`);

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Failure("ConfigurationInvalid", "The MongoDB URL is not usable: a percent-encoding in it is broken.", { cause });
  }
};

/**
 * Reads a `mongodb://` or `mongodb+srv://` URL. Its path must name the database.
 * A URL whose parts cannot be told apart for sure is refused rather than shown: the pieces might be of a password.
 */
export function parseAddress(url: string): Address {
  const match = shape.exec(url);
  if (match === null)
    throw malformed("it must look like mongodb://user:password@host:port/database, with @ : / ? # of user and password percent-encoded");
  const [, , userInfo = "", hosts = "", path = "", query = ""] = match;
  if (`${path}${query}`.includes("@") || !hosts.split(",").every((each) => host.test(each)))
    throw malformed("its host cannot be read; @ : / ? # in user or password must be percent-encoded");
  const databaseName = decode(path);
  if (databaseName === "") throw malformed(`it names no database; add one after the host, as ${hosts}/NAME`);
  if (/[/\\. "$\0]/.test(databaseName)) throw malformed("its database name holds a character that MongoDB does not allow");
  const secrets = userInfo
    .split(/:(.*)/s)
    .filter((part) => part !== "")
    .flatMap((part) => [part, decode(part)])
    .sort((a, b) => b.length - a.length);
  return {
    url,
    databaseName,
    label: `${hosts}/${databaseName}`,
    scrub: (text) => secrets.reduce((kept, secret) => kept.replaceAll(secret, "***"), text),
  };
}

/**
 * The same URL for another database. A URL without `authSource` authenticates against the database in its path, so the
 * source that was in force is written out, lest the new path change it.
 */
export function withDatabase(url: string, databaseName: string, authSource: string | undefined): string {
  const match = shape.exec(url);
  if (match === null) throw malformed("its parts cannot be told apart");
  const [, scheme = "", userInfo, hosts = "", , query = ""] = match;
  const named = /[?&]authSource=/i.test(query);
  const source = userInfo === undefined || named || authSource === undefined ? "" : `authSource=${encodeURIComponent(authSource)}`;
  const options = [query.slice(1), source].filter((part) => part !== "").join("&");
  return `${scheme}${userInfo === undefined ? "" : `${userInfo}@`}${hosts}/${encodeURIComponent(databaseName)}${options === "" ? "" : `?${options}`}`;
}
