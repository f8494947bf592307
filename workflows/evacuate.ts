import {
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import type { RelocatedPage } from "../activities/replicate/relocate.ts";
import { aliveWithin, longStep } from "./activity-options.ts";
import { failureOf } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

export interface EvacuateInput {
  /** The store that is left; null: every policy gets the copies that it asks for, as after a store has joined. */
  readonly leaving: string | null;
  /** Nothing can be read from it any more, and nothing there counts. */
  readonly gone: boolean;
  /** What is safe elsewhere is taken out of the store. */
  readonly empty: boolean;
  /** Bytes a second; null: no bound. */
  readonly rate: number | null;
  /** What this run had done before it continued under a new history. */
  readonly done?: EvacuateProgress;
}

interface EvacuateProgress {
  readonly step: "copying" | "emptying";
  readonly after: string;
  readonly result: EvacuateResult;
}

export interface EvacuateResult {
  /** Objects of live snapshots that were looked at. */
  readonly objects: number;
  /** Copies that were made, and their bytes. */
  readonly moved: number;
  readonly bytes: number;
  /** Objects that were taken out of the store, or are no longer looked for there. */
  readonly emptied: number;
  /** Objects that do not have all of their copies, by the reason. Empty: all is as the policies ask. */
  readonly left: Readonly<Record<string, number>>;
}

const nothing: EvacuateResult = { objects: 0, moved: 0, bytes: 0, emptied: 0, left: {} };

/**
 * Copies what a store that is left alone has, or what policies ask for and do not have yet; page by page, beside backups, at a rate. A run
 * that is repeated goes on: what has its copies needs none. What cannot be placed or read is told, and keeps nothing else from its place.
 */
export async function evacuate(input: EvacuateInput): Promise<EvacuateResult> {
  const { relocatePage, emptyPage } = proxyActivities<ReplicateActivities>(longStep("replicate", { silence: aliveWithin }));
  const { leaving, gone, rate } = input;
  const what = leaving === null ? "rebalancing" : `leaving ${leaving}`;
  let { step, after, result } = input.done ?? { step: "copying" as const, after: "", result: nothing };
  upsertSearchAttributes([{ key: outcomeKey, value: "running" }]);

  const turn = async (page: RelocatedPage, at: EvacuateProgress["step"]): Promise<void> => {
    result = add(result, page, at);
    setCurrentDetails(describe(what, result));
    after = page.next ?? "";
    if (page.next !== null && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof evacuate>({ ...input, done: { step: at, after, result } });
    }
  };

  try {
    if (step === "copying") {
      for (let next: string | null = after; next !== null; ) {
        const page: RelocatedPage = await relocatePage.executeWithOptions(
          { summary: `${what}: copy what follows ${next || "the start"}` },
          [{ leaving, gone, after: next, rate }],
        );
        next = page.next;
        await turn(page, "copying");
      }
      step = "emptying";
    }
    if (leaving !== null && (input.empty || gone)) {
      for (let next: string | null = after; next !== null; ) {
        const page: RelocatedPage = await emptyPage.executeWithOptions(
          { summary: `${what}: let go of what follows ${next || "the start"}` },
          [{ leaving, gone, after: next, rate }],
        );
        next = page.next;
        await turn(page, "emptying");
      }
    }
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (isCancellation(error)) {
      upsertSearchAttributes([{ key: outcomeKey, value: "cancelled" }]);
      throw error;
    }
    const { type, message } = failureOf(error);
    upsertSearchAttributes([{ key: outcomeKey, value: "failed" }]);
    setCurrentDetails(`${describe(what, result)}\n\n**${type}**: ${message}`);
    throw error;
  }
  upsertSearchAttributes([{ key: outcomeKey, value: Object.keys(result.left).length > 0 ? "degraded" : "done" }]);
  return result;
}

/** So many reasons are told one by one; they are sentences, and go with every page. */
const mostReasons = 20;

const add = (result: EvacuateResult, page: RelocatedPage, step: EvacuateProgress["step"]): EvacuateResult => {
  const left: Record<string, number> = { ...result.left };
  for (const [why, count] of Object.entries(page.left)) {
    const known = why in left || Object.keys(left).length < mostReasons;
    const key = known ? why : "other reasons";
    left[key] = (left[key] ?? 0) + count;
  }
  return step === "copying"
    ? { ...result, objects: result.objects + page.objects, moved: result.moved + page.moved, bytes: result.bytes + page.bytes, left }
    : { ...result, emptied: result.emptied + page.moved, left };
};

const describe = (what: string, { objects, moved, bytes, emptied, left }: EvacuateResult): string =>
  [
    `**${what}**: ${moved} copies made (${bytes} bytes), ${objects} objects looked at${emptied > 0 ? `, ${emptied} let go` : ""}`,
    ...Object.entries(left).map(([why, count]) => `- ${count} without all of their copies: ${why}`),
  ].join("\n");
