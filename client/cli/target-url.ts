import { registerSecret } from "../../core/config/redact.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { EngineName } from "../../core/domain/snapshot.ts";
import type { CommandInput } from "./program.ts";

/** The database that `--to` or `--to-env` names, its password registered for redaction. */
export const targetUrl = ({ options }: CommandInput): string => {
  const { to, toEnv } = options;
  if ((to === undefined) === (toEnv === undefined))
    throw new Failure("UsageInvalid", "name the target by one of --to URL and --to-env NAME");
  const url = typeof to === "string" ? to : process.env[String(toEnv)];
  if (url === undefined || url === "") throw new Failure("SecretMissing", `the environment variable ${String(toEnv)} is not set`);
  registerSecret(url);
  engineOfUrl(url);
  return url;
};

/** Which engine a connection URL speaks to. */
export const engineOfUrl = (url: string): EngineName => {
  if (/^postgres(?:ql)?:\/\//.test(url)) return "postgres";
  if (/^mongodb(?:\+srv)?:\/\//.test(url)) return "mongodb";
  if (/^(?:AccountEndpoint=|https?:\/\/)/i.test(url)) return "cosmos";
  if (/^rediss?:\/\//.test(url)) return "redis";
  throw new Failure(
    "UsageInvalid",
    "the target's URL must start with postgres://, postgresql://, mongodb://, mongodb+srv://, redis://, rediss://, https:// or AccountEndpoint= (both Cosmos DB)",
  );
};
