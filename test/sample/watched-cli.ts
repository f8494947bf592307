import assert from "node:assert/strict";
import { dirname } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Finished, runDbgov } from "../../client/demo/run-dbgov.ts";
import type { FailureType } from "../../core/domain/failure.ts";
import { secretsOf } from "./secrets.ts";
import type { TestSite } from "./test-site.ts";

/** The JSON that a command printed. */
// biome-ignore lint/suspicious/noExplicitAny: each command has a shape of its own, which its test asserts.
type Printed = any;

/** What a test expects of a command that fails. */
export interface ExpectedFailure {
  readonly code: number;
  readonly type: FailureType;
  readonly message: RegExp;
}

/**
 * Runs `bin/dbgov` as a user does, and holds every run to what is promised of all: no secret in any output, no color
 * codes where there is no terminal, and with `--json` one object on standard output and nothing else.
 */
export interface WatchedCli {
  /** For eyes. */
  run(...args: readonly string[]): Promise<Finished>;
  json(...args: readonly string[]): Promise<{ readonly code: number; readonly json: Printed }>;
  /** Runs it with `--json`, and asserts that it fails as expected: type, exit code and one sentence. */
  fails(expected: ExpectedFailure, ...args: readonly string[]): Promise<void>;
  /** From here on this text may be in no output. */
  addSecret(text: string): void;
}

export const openCli = (options: { cwd: string; env: NodeJS.ProcessEnv; secrets?: readonly string[] }): WatchedCli => {
  const secrets = new Set(options.secrets ?? []);
  const assertClean = (text: string, where: string): void => {
    // The secret itself must not end up in the test's log either.
    for (const secret of secrets) assert.ok(!text.includes(secret), `${where} holds a secret that starts with ${secret.slice(0, 4)}…`);
  };
  const run = async (...args: readonly string[]): Promise<Finished> => {
    const finished = await runDbgov(args, { cwd: options.cwd, env: options.env });
    for (const stream of ["stdout", "stderr"] as const) {
      assertClean(finished[stream], `${stream} of dbgov ${args[0]}`);
      assert.equal(finished[stream], stripVTControlCharacters(finished[stream]), `color codes in ${stream} of dbgov ${args[0]}`);
    }
    return finished;
  };
  const json = async (...args: readonly string[]): Promise<{ code: number; json: Printed }> => {
    const { code, stdout, stderr } = await run(...args, "--json");
    assert.match(stdout, /^\{.*\}\n$/, `dbgov ${args.join(" ")} --json printed: ${stdout}\n${stderr}`);
    return { code, json: JSON.parse(stdout) };
  };
  return {
    run,
    json,
    fails: async ({ code, type, message }, ...args) => {
      const result = await json(...args);
      const { error } = result.json;
      assert.ok(error !== undefined, `dbgov ${args.join(" ")} did not fail: ${JSON.stringify(result)}`);
      assert.deepEqual([error.type, result.code], [type, code], error.message);
      assert.match(error.message, message);
      assertSentence(error.message);
      assert.ok(error.remedy.length > 10, "it says what to do");
    },
    addSecret: (text) => void secrets.add(text),
  };
};

/** One sentence, or one a line: no stack, no object dump, no bare code. */
export const assertSentence = (message: string): void => {
  for (const line of message.split("\n")) {
    assert.ok(line.length > 15 && line.length < 600, `not one sentence: ${line}`);
    assert.doesNotMatch(line, /\[object |undefined|NaN| at .*\.ts:\d|^\s/, line);
  }
};

/** The CLI in the folder of a test's `dbgov.yaml`, with everything that is secret there watched for. */
export const openSiteCli = async (site: TestSite, env: Readonly<Record<string, string>> = {}): Promise<WatchedCli> =>
  openCli({
    cwd: dirname(site.config),
    env: { ...process.env, ...site.environment, ...env },
    secrets: [...(await secretsOf(site)).values()],
  });
