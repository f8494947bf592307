import { randomBytes } from "node:crypto";
import { standingHolds } from "../../../core/catalog/standing-holds.ts";
import { Failure } from "../../../core/domain/failure.ts";
import type { HoldChange } from "../../../core/domain/run.ts";
import { askApproval, reasonOption } from "../../ask-approval.ts";
import { changeHold } from "../../change-hold.ts";
import { approverOption } from "../approver-key-option.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog, withOrchestrator } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { sayAsked } from "../say-asked.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { good, say, table, utcMinute } from "../terminal.ts";
import { untilOption } from "../until-option.ts";

export const action: CommandAction = (input) => {
  switch (input.args[0]) {
    case "list":
      return list(input);
    case "place":
      return change(input, placed(input));
    case "lift":
      return lift(input, lifted(input));
    default:
      throw new Failure("UsageInvalid", `hold knows place, list and lift (was given "${input.args[0]}")`);
  }
};

const text = ({ options }: CommandInput, name: string): string => {
  const value = options[name];
  if (typeof value !== "string" || value.trim() === "")
    throw new Failure("UsageInvalid", `hold ${name === "by" ? "needs" : "place needs"} --${name}`);
  return value;
};

const placed = (input: CommandInput): HoldChange => {
  const { database, snapshot } = input.options;
  if ((database === undefined) === (snapshot === undefined))
    throw new Failure("UsageInvalid", "hold place needs one of --database and --snapshot");
  return {
    id: `h-${randomBytes(4).toString("hex")}`,
    lifted: false,
    database: typeof database === "string" ? database : null,
    snapshot: snapshot === undefined ? null : snapshotArgument(snapshot),
    reason: text(input, "reason"),
    by: text(input, "by"),
    until: untilOption(input.options.until, new Date()) ?? null,
  };
};

const lifted = (input: CommandInput): HoldChange => {
  const id = input.args[1];
  if (id === undefined) throw new Failure("UsageInvalid", "hold lift needs the hold's id, as hold list shows it");
  if (!/^h-\w+$/.test(id))
    throw new Failure("UsageInvalid", `"${id}" is not a hold's id, which looks like h-3f2a9c01 (dbgov hold list shows them)`);
  // Where two persons sign, their keys say who they are.
  const by = input.options.key === undefined ? text(input, "by") : "";
  return { id, lifted: true, database: null, snapshot: null, reason: "", by };
};

/** One person's word, or with `--key` the first of two. */
const lift = async (input: CommandInput, wanted: HoldChange): Promise<number> => {
  const signer = await approverOption(input);
  if (signer === undefined) return await change(input, wanted);
  const reason = reasonOption(input.options.reason, "hold lift --key");
  return await withOrchestrator(input, async (site, { client }) => {
    if (!(await standingHolds(await site.catalog())).some(({ id }) => id === wanted.id))
      throw new Failure("NameUnknown", `there is no hold ${wanted.id} that stands; dbgov hold list shows those that do`);
    sayAsked(await askApproval(site, client, { act: "lift-hold", hold: wanted.id }, reason, signer), input.json);
    return exitCodes.done;
  });
};

const change = (input: CommandInput, wanted: HoldChange): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    if (wanted.database !== null) site.database(wanted.database);
    await changeHold(client, wanted);
    if (input.json) process.stdout.write(`${JSON.stringify({ id: wanted.id, standing: !wanted.lifted })}\n`);
    else say(`${good("✓")} hold ${wanted.id} ${wanted.lifted ? "is lifted" : "stands"}`);
    return exitCodes.done;
  });

const list = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (site) => {
    const holds = await standingHolds(await site.catalog());
    if (input.json) process.stdout.write(`${JSON.stringify({ holds })}\n`);
    else if (holds.length === 0) say("no hold stands");
    else
      say(
        table(
          ["hold", "on", "since (UTC)", "until (UTC)", "by", "reason"],
          holds.map(({ id, database, snapshot, at, until, by, reason }) => [
            ...[id, database ?? snapshot ?? "everything", utcMinute(at), until === null ? "it is lifted" : utcMinute(until), by, reason],
          ]),
        ),
      );
    return exitCodes.done;
  });
