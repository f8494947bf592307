import type { LifecycleRule } from "../../core/domain/lifecycle-rules.ts";
import { judgesRecords, type RecordCase } from "./compliance-record-cases.ts";
import { goodRecord, goodStore } from "./compliance-records.ts";

const deleting: LifecycleRule = {
  ...{ name: "old", enabled: true, prefixes: ["dbgov/packs/"], blobTypes: ["blockBlob"], tagged: false },
  actions: [{ on: "baseBlob", what: "delete", days: 30, after: "creation" }],
};

const cases: readonly RecordCase[] = [
  { check: "record-log-complete", when: "all is well", result: "pass", reason: /All 9 entries/ },
  {
    check: "record-log-complete",
    when: "it could not be read",
    record: { log: null },
    result: "inconclusive",
    reason: /could not be read/,
  },
  {
    check: "record-log-complete",
    when: "a number is missing",
    record: { log: { ...goodRecord.log!, gaps: [{ database: "orders", sequence: 4 }] } },
    result: "fail",
    reason: /^1 sequence number is missing/,
  },
  {
    check: "record-log-complete",
    when: "the catalog knows more",
    record: { log: { ...goodRecord.log!, catalogEntries: 10 } },
    result: "fail",
    reason: /has 9 entries, but the catalog knows 10/,
  },
  {
    check: "record-log-complete",
    when: "nothing is signed",
    record: { log: { ...goodRecord.log!, checkpointRoot: null } },
    result: "fail",
    reason: /no checkpoint was signed/,
  },
  {
    check: "record-log-complete",
    when: "it is empty",
    record: { log: { size: 0, catalogEntries: 0, gaps: [], checkpointRoot: null } },
    result: "not-applicable",
    reason: /still empty/,
  },

  { check: "record-recovery-kit", when: "all is well", result: "pass", reason: /has every envelope/ },
  {
    check: "record-recovery-kit",
    when: "nobody could look",
    record: { kit: null },
    result: "inconclusive",
    reason: /could not be looked at/,
  },
  {
    check: "record-recovery-kit",
    when: "there is none",
    record: { kit: { present: false, missingEnvelopes: 0, refreshedAt: null } },
    result: "fail",
    reason: /no recovery kit/,
  },
  {
    check: "record-recovery-kit",
    when: "an envelope is missing",
    record: { kit: { present: true, missingEnvelopes: 1, refreshedAt: null } },
    result: "fail",
    reason: /lacks 1 envelope /,
  },

  { check: "record-key-separation", when: "all is well", result: "pass", reason: /3 keys are distinct/ },
  {
    check: "record-key-separation",
    when: "two are one",
    record: { keySeparation: { compared: ["a", "b"], equal: [["a", "b"]] } },
    result: "fail",
    reason: /for a and b/,
  },
  {
    check: "record-key-separation",
    when: "they cannot be read",
    record: { keySeparation: null },
    result: "inconclusive",
    reason: /could not be read/,
  },
  {
    check: "record-key-separation",
    when: "there is one only",
    record: { keySeparation: { compared: ["a"], equal: [] } },
    result: "inconclusive",
    reason: /not two keys/,
  },

  { check: "record-recipients", when: "all is well", result: "pass", reason: /1 of 2 recipients/ },
  { check: "record-recipients", when: "there is none", record: { recipients: [] }, result: "fail", reason: /to nobody/ },
  {
    check: "record-recipients",
    when: "workers hold every secret",
    record: { recipients: [{ name: "drills", secretOnWorkers: true }] },
    result: "fail",
    reason: /every recipient/,
  },

  { check: "record-copies-challenged", when: "all is well", result: "pass", reason: /copies in local, azure were challenged/ },
  {
    check: "record-copies-challenged",
    when: "a store was not asked for too long",
    record: { stores: [goodStore, { ...goodStore, name: "azure", overdue: 3 }] },
    result: "fail",
    reason: /3 of 40 copies in azure/,
  },
  {
    check: "record-copies-challenged",
    when: "nothing is stored",
    record: { stores: [{ ...goodStore, copies: 0 }] },
    result: "not-applicable",
    reason: /No store/,
  },

  { check: "record-stores-sound", when: "all is well", result: "pass", reason: /Nothing that was found/ },
  {
    check: "record-stores-sound",
    when: "bad copies stay",
    record: { stores: [{ ...goodStore, lost: 2 }] },
    result: "fail",
    reason: /against local \(2 bad copies\)/,
  },
  {
    check: "record-stores-sound",
    when: "a store does not answer",
    record: { stores: [{ ...goodStore, findings: [{ kind: "unreachable", standing: 1, message: "it is away" }] }] },
    result: "fail",
    reason: /against local \(it is away\)/,
  },

  { check: "record-stores-funded", when: "all is well", result: "pass", reason: /about to end/ },
  {
    check: "record-stores-funded",
    when: "money runs out",
    record: { stores: [{ ...goodStore, findings: [{ kind: "unfunded", standing: 1, message: "The money reaches until Friday" }] }] },
    result: "fail",
    reason: /until Friday/,
  },
  {
    check: "record-stores-funded",
    when: "nobody has asked for days",
    record: { stores: [goodStore, { ...goodStore, name: "sia", ends: { askedAt: "2026-01-03T00:00:00.000Z", overdue: true } }] },
    result: "fail",
    reason: /^Not asked lately what ends: sia \(last on 2026-01-03\)\.$/,
  },
  {
    check: "record-stores-funded",
    when: "nobody has ever asked",
    record: { stores: [goodStore, { ...goodStore, name: "sia", ends: { askedAt: null, overdue: true } }] },
    result: "fail",
    reason: /^Not asked lately what ends: sia \(never\)\.$/,
  },

  { check: "record-lifecycle-rules", when: "the account has none", result: "pass", reason: /^No lifecycle rule deletes or archives/ },
  {
    check: "record-lifecycle-rules",
    when: "one deletes packs",
    record: { stores: [{ ...goodStore, lifecycle: { container: "dbgov", rules: [deleting], keepsDays: 2_562 } }] },
    result: "fail",
    reason:
      /in local: the rule "old" deletes dbgov\/packs\/…, 30 days after its creation, and dbgov keeps snapshots for up to 2562 days\.$/,
  },
  {
    check: "record-lifecycle-rules",
    when: "they could not be read",
    record: { stores: [{ ...goodStore, lifecycle: { container: "dbgov", unknown: "the role Reader is missing", keepsDays: null } }] },
    result: "inconclusive",
    reason: /^Not known of local: the role Reader is missing\.$/,
  },
  {
    check: "record-lifecycle-rules",
    when: "there is no such account",
    record: { stores: [goodStore] },
    result: "not-applicable",
    reason: /^No store is of a kind/,
  },
  {
    check: "record-copies-challenged",
    when: "packs are archived",
    record: { stores: [{ ...goodStore, archived: { packs: 7, present: 6 } }] },
    result: "pass",
    reason: /7 packs in local are archived, and were only seen to be there \(6\)/,
  },
];

judgesRecords("organization-record", cases);
