import type { PeriodReport } from "../../core/ledger/verify/period.ts";
import { durationWords, objectiveWords } from "../period-page/objective-words.ts";
import { bad, bold, good, say } from "./terminal.ts";

/** What a verified statement adds up to, for people; or why it is not verified. */
export const printPeriod = (path: string, { period, anchors, timestamps, failures }: PeriodReport): void => {
  if (period === null) {
    say(`${bad("✗")} ${bold(path)} is not verified`);
    for (const { part, reason } of failures) say(`  ${bad("✗")} ${part} ${reason}`);
    return;
  }
  const { database, from, to, closed, kinds, longestWithoutSnapshotSeconds, drills, deletions, objectives } = period;
  say(`${good("✓")} ${bold(path)}: all that the log has of ${database} from ${from} to ${to}`);
  say(
    `  ${closed ? "an entry from after it shows that nothing was left out at its end" : "no entry from after it is there yet: one left out at its end would not be noticed"}`,
  );
  for (const [kind, count] of Object.entries(kinds)) say(`  ${kind}: ${count}`);
  say(`  longest time without a snapshot: ${(longestWithoutSnapshotSeconds / 3600).toFixed(1)} hours`);
  for (const { objective, limit, worst, met, saidBy } of objectives) {
    const found = worst === null ? "nothing was measured" : `at worst ${durationWords(worst)}`;
    say(
      `  ${met ? good("✓ met") : bad("✗ missed")}: ${objectiveWords[objective]} ${durationWords(limit)} (${saidBy === "policy" ? "your policy" : "the operator's"}): ${found}`,
    );
  }
  for (const { time, identical, seconds } of drills) say(`  ${identical ? good("✓") : bad("✗")} drilled at ${time}, in ${seconds} s`);
  for (const { time, snapshot, reason } of deletions) say(`  deleted at ${time}: ${snapshot} (${reason})`);
  // A statement can be verified without them, where the policy asks for none.
  for (const { chainId, block, time, verified, reason } of anchors)
    say(verified ? `  ${good("✓")} anchored on chain ${chainId} in block ${block} at ${time}` : `  ${bad("✗")} not verified: ${reason}`);
  for (const { authority, time, verified, reason } of timestamps)
    say(verified ? `  ${good("✓")} time-stamped by ${authority} at ${time}` : `  ${bad("✗")} not verified: ${reason}`);
};
