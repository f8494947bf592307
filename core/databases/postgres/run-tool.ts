import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { type Address, libpqEnvironment, withoutPassword } from "./address.ts";

/** A program that ended badly. `stderr` is the end of what it said, without the password. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly stderr: string;
  /** It was not even started, for want of something that others give back. */
  readonly passing: boolean;
  constructor(program: string, outcome: string, stderr: string, passing = false) {
    super(`${program} ${outcome}`);
    this.stderr = stderr;
    this.passing = passing;
  }
  get complaint(): string {
    return complaintIn(this.stderr) ?? this.message;
  }
}

/** The first complaint of a program's, in one line. */
export const complaintIn = (stderr: string): string | undefined => {
  const lines = stderr.split("\n").filter((line) => /[a-z]{3}/i.test(line.replaceAll(/pg_restore:|error:/g, "")));
  const first = lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1);
  return first?.replace(/^\S+: (?:error: )?/, "").trim();
};

const gone = [
  ...["server closed the connection unexpectedly", "terminating connection", "no connection to the server", "the database system is "],
  ...[
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "SSL connection has been closed unexpectedly",
    "SSL SYSCALL error",
  ],
];

/** Whether a program complains of a server that is away, or of the way to it: the same may succeed once it is back. */
export const saysUnreachable = (stderr: string): boolean => gone.some((words) => stderr.includes(words));

const stderrLimit = 64 << 10;
const killAfterMs = 5_000;

interface Running {
  readonly stdout: Readable;
  /** Resolves to what it said on stderr when it ends well, rejects with a `ToolError` otherwise. */
  readonly ended: Promise<string>;
  kill(): void;
}

/** Where the process has no file descriptor left, Node makes no streams, and tells of it by an event alone. */
type Started = Omit<ChildProcess, "stdout" | "stderr"> & { readonly stdout: Readable | undefined; readonly stderr: Readable | undefined };

const start = (program: string, args: readonly string[], address: Address, extra: Record<string, string>): Running => {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...libpqEnvironment(address), ...extra },
  }) as Started;
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (stderr.length < stderrLimit) stderr += text;
  });
  const name = program.split("/").at(-1) ?? program;
  const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
  ended.catch(() => undefined); // whoever reads the output to its end awaits it; whoever stops early does not care
  child.once("error", (error: NodeJS.ErrnoException) =>
    reject(
      new ToolError(name, `cannot be started: ${error.message}`, "", ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"].includes(error.code ?? "")),
    ),
  );
  child.once("close", (code, killedBy) => {
    const said = withoutPassword(address, stderr);
    if (code === 0) resolve(said);
    else reject(new ToolError(name, killedBy === null ? `ended with ${code}` : `was killed (${killedBy})`, said));
  });
  return {
    stdout: child.stdout ?? Readable.from([]),
    ended,
    kill: () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM"); // pg_dump and pg_restore then cancel what they run on the server
      const hard = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
      child.once("close", () => clearTimeout(hard));
    },
  };
};

/** Yields what a program writes. Kills it when the consumer stops or the signal aborts; throws a `ToolError` when it ends badly. */
export async function* toolOutput(
  program: string,
  args: readonly string[],
  address: Address,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  const running = start(program, args, address, {});
  signal.addEventListener("abort", running.kill);
  try {
    for await (const chunk of running.stdout) yield chunk as Buffer;
    await running.ended;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", running.kill);
    running.kill();
    await running.ended.catch(() => undefined);
  }
}

/** Runs a program to its end and returns what it said on stderr. Throws a `ToolError`, or the signal's reason. */
export const runTool = async (
  program: string,
  args: readonly string[],
  address: Address,
  signal: AbortSignal,
  extra: Record<string, string> = {},
): Promise<string> => {
  signal.throwIfAborted();
  const running = start(program, args, address, extra);
  running.stdout.resume();
  signal.addEventListener("abort", running.kill);
  try {
    return await running.ended;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", running.kill);
  }
};
