import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../domain/failure.ts";

/** The text of a file with a public key or a certificate; a relative path starts at the configuration's folder. */
export const readKeyFile = async (path: string, folder: string, what = "public key file"): Promise<string> => {
  const full = resolve(folder, path);
  try {
    return (await readFile(full, "utf8")).trim();
  } catch (cause) {
    throw new Failure("ConfigurationInvalid", `the ${what} ${full} cannot be read`, { cause });
  }
};
