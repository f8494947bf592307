import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../domain/failure.ts";
import { generateRecipient } from "../repository/keys.ts";

export interface KeyFile {
  readonly name: string;
  readonly what: string;
}

/** Makes every key that a configuration needs, each in a file of its own that only this user can read. Refuses to replace any. */
export const createKeys = async (folder: string): Promise<readonly KeyFile[]> => {
  const { publicText, secretText } = await generateRecipient();
  const hex = (): string => randomBytes(32).toString("hex");
  const files = [
    { name: "dedup.secret", content: hex(), what: "chunk ids and chunk keys derive from it" },
    { name: "index.secret", content: hex(), what: "seals what retention needs to read" },
    { name: "signing.secret", content: hex(), what: "signs manifests" },
    { name: "log.secret", content: hex(), what: "signs the log's checkpoints" },
    { name: "recovery.public", content: publicText, what: "snapshots are sealed to it" },
    { name: "recovery.secret", content: secretText, what: "opens snapshots; belongs into the recovery kit" },
  ];
  const existing = files.find(({ name }) => existsSync(join(folder, name)));
  if (existing !== undefined)
    throw new Failure(
      "UsageInvalid",
      `${join(folder, existing.name)} exists already and is not replaced: what it sealed could never be opened again`,
    );
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const { name, content } of files) await writeFile(join(folder, name), `${content}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new Failure("UsageInvalid", `the keys cannot be written into ${folder}`, { cause });
  }
  return files.map(({ name, what }) => ({ name, what }));
};
