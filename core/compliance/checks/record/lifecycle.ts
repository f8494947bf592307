import { judgeLifecycle } from "../../../domain/lifecycle-rules.ts";
import type { OrganizationRecordCheck } from "../../check.ts";
import type { Json } from "../../finding.ts";
import { fail, inconclusive, notApplicable, pass } from "../../finding.ts";

export const recordLifecycleRules: OrganizationRecordCheck = {
  id: "record-lifecycle-rules",
  appliesTo: "organization-record",
  title: "No lifecycle rule of a storage account deletes or archives what dbgov keeps there",
  severity: "critical",
  rationale:
    "Azure applies a rule of the account's owner by itself, to every blob of its age, whatever snapshots need it. Nothing tells dbgov before the objects are gone.",
  remedy:
    "Take the container out of the rule's prefixes, or turn the rule off. Where nobody could look: name the account's resource id (`accountResourceId`), and give dbgov's identity the role Reader on it.",
  judge({ stores }) {
    const azure = stores.flatMap(({ name, lifecycle }) => (lifecycle === undefined ? [] : [{ name, ...lifecycle }]));
    if (azure.length === 0) return notApplicable("No store is of a kind whose account has lifecycle rules.", { stores: [] });
    const judged = azure.map((store) => ({
      ...{ store: store.name, container: store.container, keepsDays: store.keepsDays },
      ...("unknown" in store
        ? { unknown: store.unknown, harm: [], facts: [] }
        : judgeLifecycle(store.rules, store.container, store.keepsDays)),
    }));
    const evidence: Json = { stores: judged.map((store) => ({ ...store, harm: [...store.harm], facts: [...store.facts] })) };
    const told = (of: "harm" | "facts"): string =>
      judged.flatMap(({ store, [of]: sentences }) => sentences.map((one) => `${store}: ${one}`)).join("; ");
    if (told("harm") !== "") return fail(`Lifecycle rules do harm in ${told("harm")}.`, evidence);
    const unknown = judged.flatMap((store) => ("unknown" in store ? [`${store.store}: ${store.unknown}`] : []));
    if (unknown.length > 0) return inconclusive(`Not known of ${unknown.join("; ")}.`, evidence);
    const facts = told("facts");
    return pass(`No lifecycle rule deletes or archives what dbgov keeps${facts === "" ? "" : `; ${facts}`}.`, evidence);
  },
};
