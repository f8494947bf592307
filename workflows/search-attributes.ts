import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from "@temporalio/common";
import type { RunAbout } from "../core/domain/run.ts";

/** What an operator can filter runs by in the Temporal UI. `dbgov apply` registers them with the namespace. */
export const databaseKey = defineSearchAttributeKey("DbgovDatabase", SearchAttributeType.KEYWORD);
export const engineKey = defineSearchAttributeKey("DbgovEngine", SearchAttributeType.KEYWORD);
export const policyKey = defineSearchAttributeKey("DbgovPolicy", SearchAttributeType.KEYWORD);
export const outcomeKey = defineSearchAttributeKey("DbgovOutcome", SearchAttributeType.KEYWORD);

export const searchAttributeKeys = [databaseKey, engineKey, policyKey, outcomeKey];

/** What is known of the run, and how it stands. */
export const attributesOf = (outcome: string, { database, engine, policy }: RunAbout = {}): SearchAttributePair[] => [
  ...(database === undefined ? [] : [{ key: databaseKey, value: database }]),
  ...(engine === undefined ? [] : [{ key: engineKey, value: engine }]),
  ...(policy === undefined ? [] : [{ key: policyKey, value: policy }]),
  { key: outcomeKey, value: outcome },
];
