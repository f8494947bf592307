import { Failure } from "../../core/domain/failure.ts";
import type { EngineName } from "../../core/domain/snapshot.ts";
import type { CommandInput } from "./program.ts";

/** What `--no-roles` says. */
export const withoutRolesOf = ({ options }: Pick<CommandInput, "options">, engine: EngineName): boolean => {
  const without = options.roles === false;
  if (without && engine !== "postgres") throw new Failure("UsageInvalid", `--no-roles is for PostgreSQL; the target speaks ${engine}`);
  return without;
};
