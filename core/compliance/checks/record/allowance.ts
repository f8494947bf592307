import { fillingFrom as fullAt } from "../../../domain/room.ts";
import { formatSize } from "../../../domain/size.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, inconclusive, notApplicable, pass } from "../../finding.ts";

/** So long before it is full there is time to act. */
const warnDays = 30;

/** Looks ahead, where `postgres-size` and `mongodb-size` judge what is: at today's growth, and of all four engines. */
export const databaseFitsItsAllowance: DatabaseRecordCheck = {
  id: "database-fits-its-allowance",
  appliesTo: "database-record",
  title: "The database will still have room in its plan in a month",
  severity: "medium",
  rationale: "A free database that is full becomes read-only, drops data or costs money, and it fills up on a day that nobody has chosen.",
  remedy:
    "Delete or archive what is not needed, or move to a larger plan, before the day that is named; correct `allowances` where the plan has changed.",
  judge({ allowance }) {
    if (allowance === null) return notApplicable("The configuration does not say which plan the database runs on.", { service: null });
    const { service, limitBytes, usedBytes, growthPerDay } = allowance;
    const evidence = { service, limitBytes, usedBytes, growthPerDay, fullAt, warnDays };
    if (limitBytes === null) return notApplicable(`The plan ${service} has no limit of size that is known.`, evidence);
    if (usedBytes === null) return inconclusive("The server did not say how large the database is.", evidence);
    const words = `${formatSize(usedBytes)} of the ${formatSize(limitBytes)} that ${service} allows are used`;
    if (usedBytes >= fullAt * limitBytes) return fail(`${words}; from ${fullAt * 100} % on there is too little room.`, evidence);
    const days = growthPerDay === null || growthPerDay <= 0 ? null : Math.floor((limitBytes - usedBytes) / growthPerDay);
    if (days === null) return pass(`${words}.`, evidence);
    const ahead = `${words}, and at ${formatSize(Math.round(growthPerDay!))} a day it is full in ${days} days`;
    return days < warnDays ? fail(`${ahead}.`, evidence) : pass(`${ahead}.`, evidence);
  },
};
