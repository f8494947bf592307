import type { Catalog } from "../catalog/catalog.ts";
import { type CopyFinding, recordFindings } from "../catalog/copy-findings.ts";
import { type DueCopy, dueCopies } from "../catalog/due-copies.ts";
import { loseReplica } from "../catalog/lose-replica.ts";
import { packInfo } from "../catalog/pack-info.ts";
import { noteProtection } from "../catalog/protections.ts";
import { type ChallengeOutcome, recordChallenges, recordEvidence } from "../catalog/record-challenges.ts";
import type { Instant, PackInfo } from "../catalog/records.ts";
import { archivingStores } from "../config/plan-inputs.ts";
import { eachLimited } from "../domain/each-limited.ts";
import { type Failure, type FailureType, isFailure } from "../domain/failure.ts";
import { badCopyKinds, type FindingKind } from "../domain/store-trust.ts";
import { packKey, partsOfKey } from "../repository/object-keys.ts";
import type { Store } from "../stores/store.ts";
import { type ChallengedCopy, type CopyAnswer, challengeCopy } from "./challenge-copy.ts";
import type { Site } from "./site.ts";
import { mostPassed, storeAnswers } from "./store-answers.ts";

export interface ChallengeRound {
  readonly store: string;
  /** Of copies that were last challenged before this, ISO: so that a pass asks for each once. */
  readonly askedBefore: Instant;
  readonly copies: number;
  /** Of each pack. */
  readonly blocks: number;
}

export interface RoundResult {
  /** How many copies were challenged. */
  readonly asked: number;
  /** How many of them were right. */
  readonly proven: number;
  readonly blocks: number;
  /** Copies that were found bad, that answered unsteadily, or that could not be had from a store that answers otherwise. */
  readonly found: number;
  /** Why the store was asked no further. */
  readonly stopped?: { readonly kind: FindingKind; readonly type: FailureType; readonly message: string };
}

/**
 * Challenges the copies of a store whose turn it is. Writes down how each came out, what was found, and what that says of the store; a copy
 * that is bad counts no longer, one that cannot be had now still does. A store that does not answer is left alone, and the rest waits for the next pass.
 */
export const challengeCopies = async (
  site: Site,
  { store: name, askedBefore, copies, blocks }: ChallengeRound,
  signal: AbortSignal,
  report: (details: object) => void,
): Promise<RoundResult> => {
  const catalog = await site.catalog();
  const outcomes: ChallengeOutcome[] = [];
  const findings: CopyFinding[] = [];
  const answers = new Map<FindingKind | "proven", number>();
  const count = (kind: FindingKind | "proven"): void => void answers.set(kind, (answers.get(kind) ?? 0) + 1);
  let proven = 0;
  let asked = 0;
  let stopped: RoundResult["stopped"];
  const at = new Date();
  try {
    const store = await site.store(name);
    const due = await dueCopies(catalog, name, askedBefore, copies);
    const packs = await packsAmong(catalog, due);
    let passed = 0;
    /** A copy that cannot be had now of a store that answers otherwise had its turn: it comes last in the next pass, and keeps no other from its own. */
    const askOrPass = async (copy: ChallengedCopy): Promise<CopyAnswer | undefined> => {
      try {
        return await challengeCopy(site, store, copy, blocks, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isFailure(error) || passed >= mostPassed || !(await isOfCopyAlone(store, error, signal))) throw error;
        passed += 1;
        const message = `${copy.object} cannot be had from store ${name} now, which answers otherwise: ${error.message}`;
        return { blocks: 0, problem: { kind: kindOf(error), message } };
      }
    };
    const archives = site.loaded.config.policies.some((policy) => archivingStores(site.loaded.config, policy).includes(name));
    /** Where a copy lies is what the store says: somebody may have archived it, or have brought it back. */
    const notingTier = async (copy: DueCopy, answer: CopyAnswer | undefined): Promise<CopyAnswer | undefined> => {
      if (answer === undefined || (answer.problem !== undefined && answer.offline === undefined)) return answer;
      if (copy.archived === (answer.offline === true)) return answer;
      await noteProtection(catalog, { object: copy.object, store: name }, { tier: copy.archived ? "hot" : "archive" });
      if (copy.archived || archives || answer.problem !== undefined) return answer;
      const message = `${copy.object} in store ${name} lies in the archive tier, where nothing can be read, and no policy put it there: see the account's lifecycle rules`;
      return { ...answer, problem: { kind: "refused", message } };
    };
    await eachLimited(due, atOnce, async (copy) => {
      const { object } = copy;
      const answer = await notingTier(copy, await askOrPass({ ...copy, pack: packs.get(object) }));
      const good = answer !== undefined && answer.problem === undefined;
      const right = good && answer.offline === undefined;
      outcomes.push({ object, right, present: good && !right });
      asked += answer?.blocks ?? 0;
      if (answer?.problem === undefined) {
        if (right) count("proven");
        proven += right ? 1 : 0;
      } else if (!badCopyKinds.includes(answer.problem.kind) || (await loseReplica(catalog, object, name))) {
        count(answer.problem.kind);
        findings.push({ store: name, object, ...answer.problem });
      }
      report({ store: name, challenged: outcomes.length, of: copies });
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    stopped = { kind: kindOf(error), type: error.type, message: error.message };
    // A fault of ours, as a secret that this worker lacks, is none of the store's.
    if (storeFaults.includes(error.type)) count(stopped.kind);
    findings.push({ store: name, object: "", kind: stopped.kind, message: stopped.message });
  }
  await recordChallenges(catalog, name, outcomes, at);
  await recordFindings(catalog, findings, at);
  await recordEvidence(catalog, name, answers);
  const found = findings.filter(({ object }) => object !== "").length;
  return { asked: outcomes.length, proven, blocks: asked, found, ...(stopped === undefined ? {} : { stopped }) };
};

/** Each may hold a block, or an object that is no pack, in memory. */
const atOnce = 4;

/** Whether a failure at a copy says nothing about the store's others: as of an object whose nodes are away, or that lies where nothing can be read. */
const isOfCopyAlone = async (store: Store, failure: Failure, signal: AbortSignal): Promise<boolean> => {
  if (failure.type === "ObjectArchived") return true;
  if (failure.type !== "StoreUnreachable" && failure.type !== "StoreRejected") return false;
  // It asks for less, and gets less.
  if (kindOf(failure) === "throttled") return false;
  return await storeAnswers(store, signal);
};

/** What the catalog knows of the packs among these copies, by key. */
const packsAmong = async (catalog: Catalog, copies: readonly DueCopy[]): Promise<Map<string, PackInfo>> => {
  const ids = copies.map(({ object }) => partsOfKey(object)).flatMap(({ kind, id }) => (kind === "packs" ? [id] : []));
  return new Map((await packInfo(catalog, ids)).map((pack) => [packKey(pack.id), pack]));
};

const storeFaults: readonly FailureType[] = ["StoreUnreachable", "StoreRejected", "StoreFull"];

/** Services say that they throttle by these statuses and codes, in whatever words around them. */
const throttling = /\b(?:429|503)\b|SlowDown|ServerBusy|TooManyRequests|Throttl/;

const kindOf = (failure: Failure): FindingKind => {
  if (failure.type !== "StoreUnreachable") return "refused";
  return throttling.test(failure.message) ? "throttled" : "unreachable";
};
