import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";

/** What an operator can filter runs by in the Temporal UI. `dbgov apply` registers them with the namespace. */
export const databaseKey = defineSearchAttributeKey("DbgovDatabase", SearchAttributeType.KEYWORD);
export const engineKey = defineSearchAttributeKey("DbgovEngine", SearchAttributeType.KEYWORD);
export const policyKey = defineSearchAttributeKey("DbgovPolicy", SearchAttributeType.KEYWORD);
export const outcomeKey = defineSearchAttributeKey("DbgovOutcome", SearchAttributeType.KEYWORD);

export const searchAttributeKeys = [databaseKey, engineKey, policyKey, outcomeKey];
