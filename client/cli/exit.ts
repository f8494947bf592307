import { redact } from "../../core/config/redact.ts";
import { asFailure, type Failure, failureTypes } from "../../core/domain/failure.ts";
import { describeCause } from "../../core/snapshot/describe-cause.ts";
import { bad, dim } from "./terminal.ts";

/** The exit codes of every command; `docs/cli.md` promises them. */
export const exitCodes = { done: 0, failed: 1, usage: 2, degraded: 3, notFound: 4, verification: 5 } as const;

/** Says what failed and what to do, for eyes on standard error, or as one JSON object on standard output. Returns the exit code. */
export const reportFailure = (error: unknown, json: boolean): number => {
  const failure: Failure = asFailure(error, "the command failed");
  const { exit, remedy } = failureTypes[failure.type];
  const message = redact(failure.message);
  const cause = describeCause(failure.type === "Unexpected" && failure !== error ? error : failure.cause);
  const code = (failure.cause as { code?: unknown } | undefined)?.code;
  // A cause that the sentence has named says nothing more to a person.
  const told =
    cause === "" ||
    message.includes(cause.replace(/^\w+: (?:error \(\w+\): )?/, "")) ||
    (typeof code === "string" && (message.includes(code) || (code === "ENOENT" && message.endsWith("does not exist"))));
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { type: failure.type, message, remedy, ...(cause === "" ? {} : { cause }) } })}\n`);
  } else {
    process.stderr.write(`${bad("✗")} ${message.replaceAll("\n", "\n  ")}\n  ${remedy}\n`);
    if (!told) process.stderr.write(dim(`  cause: ${cause}\n`));
  }
  return exit;
};
