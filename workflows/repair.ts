import {
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import type { RepairInput, RepairResult, RepairShare, StoreRepair } from "../core/domain/run.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

/** What one activity challenges: an attempt that is killed has to do so many again. */
const copiesPerRound = 200;

interface Ongoing {
  readonly askedBefore: string;
  readonly shares: readonly RepairShare[];
  readonly parity: boolean;
  readonly stores: readonly StoreRepair[];
}

/**
 * Has every store prove the part of its copies whose turn it is, and replaces what is found bad, whoever found it. A store that does not answer keeps
 * none of the others from theirs. Fails with `CopyLost`, at its end, when an object is left that no store has a good copy of.
 */
export async function repair({ store }: RepairInput = {}, ongoing?: Ongoing): Promise<RepairResult> {
  const { planRepair } = proxyActivities<ReplicateActivities>(step("replicate"));
  const { challengeCopies, repairLost, keepParity, checkLogCopy } = proxyActivities<ReplicateActivities>(
    longStep("replicate", { silence: aliveWithin }),
  );
  const { logRepairs, publishCheckpoint, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  upsertSearchAttributes([{ key: outcomeKey, value: "running" }]);
  const { askedBefore, shares, parity } = ongoing ?? (await planRepair(store === undefined ? {} : { store }));
  const done = new Map<string, StoreRepair>((ongoing?.stores ?? []).map((one) => [one.store, one]));
  const stateOf = (name: string): StoreRepair =>
    done.get(name) ?? { ...{ store: name, asked: 0, proven: 0, blocks: 0, found: 0, repaired: 0 } };
  const trouble: string[] = [];
  const tell = (): void =>
    setCurrentDetails([...shares.map((share) => lineOf(share, stateOf(share.store))), ...trouble.map((line) => `- ${line}`)].join("\n"));

  /** Whether there was more to do in this store, when the history became long. */
  const challenge = async (share: RepairShare): Promise<boolean> => {
    for (;;) {
      const so = stateOf(share.store);
      const copies = Math.min(copiesPerRound, share.copies - so.asked);
      if (copies <= 0 || so.stopped !== undefined) return false;
      if (workflowInfo().continueAsNewSuggested) return true;
      try {
        const round = await challengeCopies.executeWithOptions({ summary: `challenge ${copies} copies in ${share.store}` }, [
          { store: share.store, askedBefore, copies, blocks: share.blocks },
        ]);
        const { asked, proven, blocks, found, stopped } = round;
        done.set(share.store, {
          ...so,
          ...{ asked: so.asked + asked, proven: so.proven + proven, blocks: so.blocks + blocks, found: so.found + found },
          ...(stopped === undefined ? {} : { stopped }),
        });
        tell();
        if (asked < copies) return false;
      } catch (error) {
        if (isCancellation(error)) throw error;
        done.set(share.store, { ...so, stopped: { kind: "unreachable", ...failureOf(error) } });
        return false;
      }
    }
  };

  /** The log's copies are small, and their tiles have their turn by the clock. */
  const checkLog = async (): Promise<void> => {
    try {
      const { publicKey, stores } = await publishCheckpoint.executeWithOptions({ summary: "what the log's copies must agree with" }, []);
      for (const name of stores.filter((one) => shares.some((share) => share.store === one))) {
        const so = stateOf(name);
        if (so.stopped !== undefined) continue;
        const { asked, found } = await checkLogCopy.executeWithOptions({ summary: `the log's copy in ${name}` }, [
          { store: name, publicKey, all: store !== undefined },
        ]);
        done.set(name, { ...so, log: { asked, found } });
      }
    } catch (error) {
      if (isCancellation(error)) throw error;
      trouble.push(`the log's copies: ${failureOf(error).message}`);
    }
  };

  const more = await Promise.all(shares.map(challenge));
  if (more.includes(true))
    await continueAsNew<typeof repair>(store === undefined ? {} : { store }, { askedBefore, shares, parity, stores: [...done.values()] });

  const { repaired, left, lost, unable } = await repairLost.executeWithOptions({ summary: "replace bad copies by good ones" }, []);
  for (const [name, count] of Object.entries(repaired)) done.set(name, { ...stateOf(name), repaired: count });
  for (const { store: name, type, message } of unable)
    done.set(name, { ...stateOf(name), stopped: { kind: "unreachable", type, message } });
  tell();
  await checkLog();
  if (parity) {
    try {
      await keepParity.executeWithOptions({ summary: "make parity where policies ask for it" }, []);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The copies are safe without it; the next pass tries again.
      trouble.push(`parity: ${failureOf(error).message}`);
    }
  }
  tell();
  const stores = [...done.values()].sort((a, b) => (a.store < b.store ? -1 : 1));
  const events = stores.filter(({ found, repaired: count }) => found + count > 0);
  if (events.length > 0) {
    await logRepairs({ pass: workflowInfo().firstExecutionRunId, stores: events });
    await requestAnchoring();
  }
  const well =
    left === 0 &&
    trouble.length === 0 &&
    stores.every(({ found, log, stopped }) => found + (log?.found ?? 0) === 0 && stopped === undefined);
  upsertSearchAttributes([{ key: outcomeKey, value: lost.length > 0 ? "failed" : well ? "done" : "degraded" }]);
  if (lost.length > 0) {
    throw failWith("CopyLost", `no store has a good copy any more of ${lost.join(", ")}${left > lost.length ? ", and more" : ""}`);
  }
  return { stores, left, lost };
}

const lineOf = ({ store, copies }: RepairShare, { asked, found, repaired, stopped }: StoreRepair): string => {
  const findings = found === 0 ? "" : `, **${found} bad**`;
  const repairs = repaired === 0 ? "" : `, ${repaired} replaced`;
  return `- ${store}: ${asked} of ${copies} copies challenged${findings}${repairs}${stopped === undefined ? "" : `; ${stopped.message}`}`;
};
