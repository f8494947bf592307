import type { OrganizationRecordCheck } from "../../check.ts";
import type { StoreRecord } from "../../engine-record.ts";
import { fail, notApplicable, pass } from "../../finding.ts";

const evidenceOf = (stores: readonly StoreRecord[]) =>
  // The account's rules are evidence of a check of their own.
  stores.map(({ lifecycle: _, ...store }) => ({
    ...store,
    ...(store.archived === undefined ? {} : { archived: { ...store.archived } }),
    findings: store.findings.map((finding) => ({ ...finding })),
    ends: store.ends === null ? null : { ...store.ends },
  }));

const namesOf = (stores: readonly StoreRecord[]): string => stores.map(({ name }) => name).join(", ");

export const recordCopiesChallenged: OrganizationRecordCheck = {
  id: "record-copies-challenged",
  appliesTo: "organization-record",
  title: "Every copy in every store was challenged within the period",
  severity: "high",
  rationale: "Stores lose things without a word; what nobody has asked for lately may be gone.",
  remedy: "See that the schedule `repair` runs, and bring back the stores that do not answer it.",
  judge({ stores }) {
    const holding = stores.filter(({ copies }) => copies > 0);
    if (holding.length === 0) return notApplicable("No store has a copy of anything.", { stores: [] });
    const late = holding.filter(({ overdue }) => overdue > 0);
    const evidence = holding.map(({ name, copies, covered, overdue, oldest, archived }) => ({
      ...{ name, copies, covered, overdue, oldest },
      ...(archived === undefined ? {} : { archived: { ...archived } }),
    }));
    if (late.length > 0) {
      const words = late.map(({ name, overdue, copies }) => `${overdue} of ${copies} copies in ${name}`).join(", ");
      return fail(`Not challenged within the period: ${words}.`, evidence);
    }
    const archived = holding.filter((store) => store.archived !== undefined);
    const words = archived.map(
      ({ name, archived: of }) => `${of?.packs} packs in ${name} are archived, and were only seen to be there (${of?.present})`,
    );
    const told = words.length === 0 ? "" : ` ${words.join("; ")}: nobody can read them now, and the policy's copies lie elsewhere.`;
    return pass(`The copies in ${namesOf(holding)} were challenged within the period, or are younger.${told}`, evidence);
  },
};

export const recordStoresSound: OrganizationRecordCheck = {
  id: "record-stores-sound",
  appliesTo: "organization-record",
  title: "No store has bad copies that are not replaced, and each answers",
  severity: "critical",
  rationale: "A bad copy that stays is one copy fewer than the policy promises.",
  remedy: "Read `dbgov repair --show`: bring back the stores it names, or replace them by others.",
  judge({ stores }) {
    const bad = stores.filter(({ lost, findings }) => lost > 0 || findings.some(({ kind }) => !moneyKinds.includes(kind)));
    if (bad.length === 0) return pass("Nothing that was found in a store still stands.", evidenceOf(stores));
    const words = bad.map(({ name, lost, findings }) => {
      const [first] = findings.filter(({ kind }) => !moneyKinds.includes(kind));
      return `${name} (${lost > 0 ? `${lost} bad copies` : first?.message})`;
    });
    return fail(`Something stands against ${words.join(", ")}.`, evidenceOf(bad));
  },
};

export const recordStoresFunded: OrganizationRecordCheck = {
  id: "record-stores-funded",
  appliesTo: "organization-record",
  title: "Nothing that a store keeps ends within the margin",
  severity: "critical",
  rationale: "Contracts, lockups and expiry dates delete what they end, whatever retention says.",
  remedy:
    "Fund the account, or renew what is named; until then put another store into the policy. Where nobody has asked lately, see that the schedule `renewal` runs.",
  judge({ stores }) {
    const ending = stores.filter(({ findings }) => findings.some(({ kind }) => moneyKinds.includes(kind)));
    // What was found out long ago says nothing of what ends soon.
    const late = stores.filter(({ ends }) => ends?.overdue === true);
    if (ending.length === 0 && late.length > 0) {
      const words = late
        .map(({ name, ends }) => `${name} (${ends?.askedAt ? `last on ${ends.askedAt.slice(0, 10)}` : "never"})`)
        .join(", ");
      return fail(`Not asked lately what ends: ${words}.`, evidenceOf(late));
    }
    if (ending.length === 0) return pass("Nothing that a store keeps is about to end.", evidenceOf(stores));
    const messages = ending.flatMap(({ findings }) =>
      findings.filter(({ kind }) => moneyKinds.includes(kind)).map(({ message }) => message),
    );
    return fail(`${messages.join("; ")}.`, evidenceOf(ending));
  },
};

const moneyKinds: readonly string[] = ["ending", "unfunded"];
