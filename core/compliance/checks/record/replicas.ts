import { formatDuration } from "../../../domain/duration.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, pass } from "../../finding.ts";
import { ageMs, newestWith } from "./newest-snapshot.ts";

export const recordReplicas: DatabaseRecordCheck = {
  id: "record-replicas",
  appliesTo: "database-record",
  title: "The newest replicated snapshot is whole in as many stores and failure domains as the policy asks",
  severity: "high",
  rationale: "Copies that can fail together are one copy.",
  remedy: "Bring back the stores that lack objects; replication resumes by itself, or reset the run to it.",
  judge(database) {
    const { copies, domains } = database.policy;
    const newest = newestWith(database.snapshots, "replicated");
    if (newest === undefined) return fail("There is no replicated snapshot.", { snapshot: null, copies, domains });
    const whole = newest.replicas.filter(({ objects }) => objects >= newest.objects);
    const inDomains = new Set(whole.map(({ domain }) => domain)).size;
    const evidence = {
      snapshot: newest.id,
      objects: newest.objects,
      replicas: newest.replicas.map(({ store, domain, objects, archived }) => ({
        ...{ store, domain, objects },
        ...(archived === undefined ? {} : { archived }),
      })),
      required: { copies, domains },
    };
    const words = `${whole.length} of ${copies} copies in ${inDomains} of ${domains} failure domains hold every object of ${newest.id}`;
    return whole.length >= copies && inDomains >= domains ? pass(`${words}.`, evidence) : fail(`Only ${words}.`, evidence);
  },
};

export const recordReplicasProven: DatabaseRecordCheck = {
  id: "record-replicas-proven",
  appliesTo: "database-record",
  title: "Every replica of the newest snapshot was read back recently",
  severity: "high",
  rationale: "A receipt says that a store took the bytes, not that it still has them.",
  remedy: "Run `dbgov verify`, and repair or replace the store that does not answer.",
  judge(database, _record, now) {
    const limit = database.policy.proveEveryMs;
    const newest = newestWith(database.snapshots, "replicated");
    if (newest === undefined || newest.replicas.length === 0)
      return fail("There is no replica to prove.", { snapshot: newest?.id ?? null });
    // What is archived cannot be read back; the promised copies lie elsewhere.
    const readable = newest.replicas.filter(({ allArchived }) => allArchived !== true);
    if (readable.length === 0) return fail(`Every copy of ${newest.id} is archived: none can be read back.`, { snapshot: newest.id });
    const unproven = readable.filter(({ oldestProof, proven }) => oldestProof === null || proven === 0);
    const stale = readable.filter(({ oldestProof }) => oldestProof !== null && ageMs(oldestProof, now) > limit);
    const evidence = {
      snapshot: newest.id,
      proveEveryMs: limit,
      replicas: newest.replicas.map(({ store, proven, oldestProof, archived }) => ({
        ...{ store, proven, oldestProof },
        ...(archived === undefined ? {} : { archived }),
      })),
    };
    const names = (replicas: readonly { store: string }[]) => replicas.map(({ store }) => store).join(", ");
    if (unproven.length > 0) return fail(`Nothing of ${newest.id} was ever read back from ${names(unproven)}.`, evidence);
    if (stale.length > 0)
      return fail(`The last proof of ${newest.id} in ${names(stale)} is older than ${formatDuration(limit)}.`, evidence);
    return pass(`All ${readable.length} replicas of ${newest.id} were read back within ${formatDuration(limit)}.`, evidence);
  },
};
