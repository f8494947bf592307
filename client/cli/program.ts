import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { Failure } from "../../core/domain/failure.ts";
import type { CommandSpec } from "./command-spec.ts";
import { commandSpecs } from "./commands.ts";
import { exitCodes, reportFailure } from "./exit.ts";

/** What a command's action gets. Options are those that its spec declares, as commander parsed them. */
export interface CommandInput {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Returns the exit code; throws a `Failure` otherwise. */
export type CommandAction = (input: CommandInput) => Promise<number>;

/** The program with all of its commands. A command's code is loaded when it runs, so that `--help` is instant. */
export const buildProgram = (): Command => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  const program = new Command("dbgov")
    .description("Backups that an auditor can check: captured, sealed, replicated, logged, anchored, verified, drilled.")
    .version(version)
    .configureHelp({ sortSubcommands: false })
    // What is said after a verb is the verb's, although the command before it may have an option of the same name.
    .enablePositionalOptions();
  reportUsage(program);
  program.addHelpText(
    "after",
    "\nStart here:\n  $ dbgov demo                     see all of it on an embedded stack\n  $ dbgov check                    check dbgov.yaml and every connection it names\n\nExit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done but degraded, 4 not found, 5 verification failed.",
  );
  for (const spec of commandSpecs) {
    const [first = "", verb] = spec.name.split(" ");
    if (verb === undefined) program.addCommand(toCommand(spec, first));
    // The command of one word comes before its verbs in the list.
    else
      program.commands
        .find((command) => command.name() === first)
        ?.enablePositionalOptions()
        .addCommand(toCommand(spec, verb));
  }
  return program;
};

/** Usage that is wrong ends like every other failure: one sentence, or one JSON object, and its exit code. */
const reportUsage = (command: Command, args: CommandSpec["args"] = []): void => {
  command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
    if (error.exitCode === 0) process.exit(exitCodes.done);
    // Without any argument there is nothing wrong to name: the help was shown.
    if (error.code === "commander.help") process.exit(exitCodes.usage);
    const sentence = error.message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace("(Did", "(did");
    // A missing argument says what it may be: `retention` alone would leave everybody guessing.
    const missing = args.find(({ name }) => error.code === "commander.missingArgument" && sentence.includes(`'${name.slice(1, -1)}'`));
    const told = missing === undefined ? sentence : `${sentence}: ${missing.description}`;
    process.exit(reportFailure(new Failure("UsageInvalid", told), process.argv.includes("--json")));
  });
};

const toCommand = (spec: CommandSpec, name: string): Command => {
  const command = new Command(name).description(spec.description);
  reportUsage(command, spec.args);
  for (const { name, description } of spec.args ?? []) command.argument(name, description);
  for (const { flags, description, choices, fallback } of spec.options ?? []) {
    const option = new Option(flags, description);
    if (choices !== undefined) option.choices([...choices]);
    if (fallback !== undefined) option.default(fallback);
    command.addOption(option);
  }
  if (spec.config !== false) command.option("--config <file>", "the configuration", "dbgov.yaml");
  command.option("--json", "print one JSON object, for programs");
  const lines = (title: string, texts: readonly string[]): string => `\n${title}:\n${texts.map((text) => `  ${text}`).join("\n")}`;
  command.addHelpText(
    "after",
    `${lines(
      "Examples",
      spec.examples.map((example) => `$ dbgov ${example}`),
    )}\n${lines("With --json", spec.prints)}`,
  );
  command.action(async () => {
    process.exitCode = await runAction(spec, command.args, command.opts());
  });
  return command;
};

const runAction = async (spec: CommandSpec, args: readonly string[], options: CommandInput["options"]): Promise<number> => {
  const json = options.json === true;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Failure("UsageInvalid", "interrupted"));
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const { action } = await spec.load();
    return await action({ args, options, json, signal: stop.signal });
  } catch (error) {
    return reportFailure(error, json);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
};
