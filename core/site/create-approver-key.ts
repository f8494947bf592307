import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../domain/failure.ts";
import { generateApprover } from "../repository/approver-key.ts";

/** Makes an approver's pair; the secret goes into a file that only this user can read. Replaces none. */
export const createApproverKey = async (folder: string, name: string): Promise<{ path: string; publicText: string }> => {
  const path = join(folder, `${name}.approver.secret`);
  if (existsSync(path)) throw new Failure("UsageInvalid", `${path} exists already and is not replaced`);
  const { publicText, secretText } = generateApprover();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, `${secretText}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new Failure("UsageInvalid", `the key cannot be written to ${path}`, { cause });
  }
  return { path, publicText };
};
