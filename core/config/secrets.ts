import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../domain/failure.ts";
import { readVaultSecret } from "./key-vault.ts";
import { registerSecret } from "./redact.ts";
import type { Resolved, SecretRef } from "./schema.ts";

/**
 * The secret that `ref` names; a relative file starts at `folder`. It is registered for redaction before anybody gets
 * it. `SecretMissing` when there is none or it is empty, `ConfigurationInvalid` when others could have put it there,
 * `KeyUnavailable` when a vault does not answer.
 */
export const readSecret = async (ref: SecretRef, folder: string): Promise<string> => {
  const secret =
    "env" in ref
      ? fromEnvironment(ref.env)
      : "file" in ref
        ? await fromFile(resolve(folder, ref.file))
        : await readVaultSecret(ref.keyVault);
  registerSecret(secret);
  return secret;
};

const fromEnvironment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Failure("SecretMissing", `the environment variable ${name} is not set`);
  if (value.trim() === "") throw new Failure("SecretMissing", `the environment variable ${name} is empty`);
  return value;
};

const fromFile = async (path: string): Promise<string> => {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o022) !== 0) {
      throw new Failure("ConfigurationInvalid", `the secret file ${path} can be written by other users (run: chmod go-w ${path})`);
    }
    const text = (await readFile(path, "utf8")).replace(/(\r?\n)+$/, "");
    if (text.trim() === "") throw new Failure("SecretMissing", `the secret file ${path} is empty`);
    return text;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = { ENOENT: "does not exist", EACCES: "may not be read by this user", EISDIR: "is a folder" } as Readonly<
      Record<string, string>
    >;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw new Failure("SecretMissing", `the secret file ${path} ${why[code] ?? `cannot be read (${code})`}`, { cause: error });
  }
};

const isSecretRef = (value: object): value is SecretRef => {
  const keys = Object.keys(value);
  const only = keys.length === 1 ? keys[0] : undefined;
  if (only === "keyVault") return true;
  return (only === "env" || only === "file") && typeof (value as Record<string, unknown>)[only] === "string";
};

/** A copy of a piece of the configuration with every secret in it read. */
export const resolveSecrets = async <T>(value: T, folder: string): Promise<Resolved<T>> => {
  const walk = async (node: unknown): Promise<unknown> => {
    if (Array.isArray(node)) return await Promise.all(node.map(walk));
    if (typeof node !== "object" || node === null) return node;
    if (isSecretRef(node)) return await readSecret(node, folder);
    const entries = Object.entries(node).map(async ([key, child]) => [key, await walk(child)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  return (await walk(value)) as Resolved<T>;
};
