import { readFile } from "node:fs/promises";
import { registerSecret } from "../../core/config/redact.ts";
import { Failure } from "../../core/domain/failure.ts";
import { approverSigner } from "../../core/repository/approver-key.ts";
import type { Signer } from "../../core/repository/signing.ts";
import type { CommandInput } from "./program.ts";

/** Signs as the person whose secret `--key` names; undefined without it. */
export const approverOption = async ({ options }: Pick<CommandInput, "options">): Promise<Signer | undefined> => {
  if (typeof options.key !== "string") return undefined;
  let text: string;
  try {
    text = await readFile(options.key, "utf8");
  } catch (cause) {
    throw new Failure("SecretMissing", `the approver's key ${options.key} cannot be read`, { cause });
  }
  registerSecret(text.trim());
  return approverSigner(text);
};
