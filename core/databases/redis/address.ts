import { Failure } from "../../domain/failure.ts";

/** What a connection URL says, with the words that may be shown. */
export interface Address {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The logical database that the path names; undefined for all of the server's. */
  readonly database: number | undefined;
  /** How many commands one backup may send; undefined for any number. */
  readonly commandBudget: number | undefined;
  /** `host:port` or `host:port/database`, never a user or password. */
  readonly label: string;
  /** `text` with the URL's user name and password taken out, as written and as decoded. */
  scrub(text: string): string;
}

const shape = /^redis(s?):\/\/(?:([^@/?#]*)@)?(\[[0-9a-fA-F:.%]+\]|[^\s:[\]@/?#]+)(?::(\d{1,5}))?(?:\/([^?#]*))?(?:\?(.*))?$/s;

const malformed = (why: string): Failure => new Failure("ConfigurationInvalid", `The Redis URL is not usable: ${why}.`);

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Failure("ConfigurationInvalid", "The Redis URL is not usable: a percent-encoding in it is broken.", { cause });
  }
};

/**
 * Reads a `redis://` or `rediss://` URL: `redis://user:password@host:6379/0?commandBudget=100000`. Without a number in its path
 * it means every logical database of the server.
 */
export function parseAddress(url: string): Address {
  const match = shape.exec(url);
  if (match === null)
    throw malformed("it must look like redis://user:password@host:port/0, with @ : / ? # of user and password percent-encoded");
  const [, secure, userInfo = "", host = "", port = "6379", path = "", query = ""] = match;
  if (`${path}${query}`.includes("@")) throw malformed("@ : / ? # in user or password must be percent-encoded");
  if (!/^\d{0,5}$/.test(path)) throw malformed("its path must be the number of a logical database, or nothing for all of them");
  const [user = "", password = ""] = userInfo.split(/:(.*)/s);
  const secrets = [user, password, decode(user), decode(password)].filter((part) => part !== "").sort((a, b) => b.length - a.length);
  const database = path === "" ? undefined : Number(path);
  const at = `${host}:${port}`;
  return {
    url,
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port),
    tls: secure === "s",
    username: user === "" ? undefined : decode(user),
    password: password === "" ? undefined : decode(password),
    database,
    commandBudget: budgetOf(query),
    label: database === undefined ? at : `${at}/${database}`,
    scrub: (text) => secrets.reduce((kept, secret) => kept.replaceAll(secret, "***"), text),
  };
}

const budgetOf = (query: string): number | undefined => {
  let budget: number | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "commandBudget") throw malformed(`its parameter ${JSON.stringify(name)} is not known; there is commandBudget`);
    if (!/^[1-9]\d{0,14}$/.test(value)) throw malformed("commandBudget must be a number of commands");
    budget = Number(value);
  }
  return budget;
};

/** The same URL for another logical database. */
export const withDatabase = (url: string, database: number): string => {
  const { database: own } = parseAddress(url);
  const [base = "", query] = url.split(/\?(.*)/s);
  const server = own === undefined ? base.replace(/\/$/, "") : base.slice(0, base.lastIndexOf("/"));
  return `${server}/${database}${query === undefined ? "" : `?${query}`}`;
};
