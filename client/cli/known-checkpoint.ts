import { readFile } from "node:fs/promises";
import { Failure } from "../../core/domain/failure.ts";
import { fromBase64, toHex } from "../../core/ledger/verify/bytes.ts";
import { parseNote } from "../../core/ledger/verify/note.ts";

/** What `--since` names: the size of a checkpoint, or a file with one that the auditor has, by itself or in a bundle. */
export const knownCheckpoint = async (text: string): Promise<{ size: number; root?: string }> => {
  if (/^[1-9]\d{0,14}$/.test(text)) return { size: Number(text) };
  let content: string;
  try {
    content = await readFile(text, "utf8");
  } catch (cause) {
    throw new Failure("UsageInvalid", `--since needs a size, or a file with a checkpoint: ${text} cannot be read`, { cause });
  }
  const [, size = "", root = ""] = parseNote(noteIn(content))?.text.split("\n") ?? [];
  const bytes = fromBase64(root);
  if (!/^[1-9]\d{0,14}$/.test(size) || bytes?.length !== 32) throw new Failure("UsageInvalid", `${text} has no checkpoint for --since`);
  return { size: Number(size), root: toHex(bytes) };
};

const noteIn = (content: string): string => {
  try {
    const { checkpoint } = JSON.parse(content) as { checkpoint?: unknown };
    return typeof checkpoint === "string" ? checkpoint : content;
  } catch {
    return content;
  }
};
