import { formatDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { type ComponentName, componentNames, usualComponents } from "../../../test/stack/components.ts";
import { stackDown, stackStatus, stackUp } from "../../../test/stack/stack.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bad, bold, dim, good, say, table } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  const folder = String(input.options.folder);
  switch (input.args[0]) {
    case "up":
      return await up(folder, input);
    case "status":
      return await status(folder, input.json);
    case "down":
      await stackDown(folder, { purge: input.options.purge === true });
      if (input.json) process.stdout.write(`${JSON.stringify({ stopped: true })}\n`);
      else say(`${good("✓")} the stack in ${folder} is stopped${input.options.purge === true ? ", its data deleted" : ""}`);
      return exitCodes.done;
    default:
      throw new Failure("UsageInvalid", `stack knows up, status and down (was given "${input.args[0]}")`);
  }
};

const up = async (folder: string, { options, json }: CommandInput): Promise<number> => {
  const onProgress = (component: string, text: string): void => void process.stderr.write(`${dim(component.padEnd(10))} ${text}\n`);
  const addresses = await stackUp({ folder, components: chosen(options.only), ...(json ? {} : { onProgress }) });
  if (json) process.stdout.write(`${JSON.stringify(addresses)}\n`);
  else await status(folder, false);
  return exitCodes.done;
};

const status = async (folder: string, json: boolean): Promise<number> => {
  const components = await stackStatus(folder);
  const failed = components.filter(({ state }) => state === "failed");
  if (json) process.stdout.write(`${JSON.stringify({ components })}\n`);
  else {
    const rows = components.map(({ component, state, address, uptime, log, reason }) => [
      bold(component),
      state === "running" ? good(state) : state === "failed" ? bad(state) : dim(state),
      address ?? "",
      uptime === undefined ? "" : formatDuration(uptime),
      reason ?? dim(log),
    ]);
    say(table(["component", "state", "address", "up for", "log"], rows));
  }
  return failed.length > 0 ? exitCodes.failed : exitCodes.done;
};

const chosen = (only: string | boolean | undefined): readonly ComponentName[] => {
  if (typeof only !== "string") return usualComponents;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(componentNames as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Failure("UsageInvalid", `there is no component "${unknown}"; there are ${componentNames.join(", ")}`);
  return names as ComponentName[];
};
