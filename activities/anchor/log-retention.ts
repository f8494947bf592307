import { cancellationSignal } from "@temporalio/activity";
import { markIdentity, unloggedMarks } from "../../core/catalog/deletion-marks.ts";
import { type Approval, databaseOfRequest, type SignedRequest } from "../../core/domain/approval.ts";
import { commit } from "../../core/ledger/entries.ts";
import { requestHash } from "../../core/repository/approval-signature.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { appendEvents, databaseCommitment, type LogEvent } from "./append-entries.ts";

/** What the log says of deletions to come, of alarms, and of what two persons agreed on. */
export const createLogRetention = ({ site }: ActivityEnvironment) => ({
  /** That snapshots are marked to go, and that marked ones stay: whatever of it is not logged yet. */
  logMarks: async ({ database }: { database: string }): Promise<{ logged: number }> => {
    const at = await site();
    const marks = await unloggedMarks(await at.catalog(), database);
    if (marks.length === 0) return { logged: 0 };
    const commitment = await databaseCommitment(at, database);
    const time = new Date().toISOString();
    const events = marks.map(({ snapshot, manifestHash, dueAt, reason }): LogEvent => {
      const common = { time, database: commitment, snapshot, manifestHash };
      return reason === null
        ? { identity: markIdentity("deletion-undone", snapshot, dueAt), database, body: { ...common, kind: "deletion-undone" } }
        : {
            identity: markIdentity("deletion-scheduled", snapshot, dueAt),
            database,
            body: { ...common, kind: "deletion-scheduled", due: dueAt, reason },
          };
    });
    await appendEvents(at, events, cancellationSignal());
    return { logged: events.length };
  },

  /** That nothing of a database goes because of what its newest snapshots look like: once a day while it is so. */
  logAlarm: async ({ database, alarm }: { database: string; alarm: "flood" | "shrunk" }): Promise<void> => {
    const at = await site();
    const time = new Date().toISOString();
    const body = { kind: "retention-halted", time, database: await databaseCommitment(at, database), alarm } as const;
    await appendEvents(
      at,
      [{ identity: `retention-halted/${database}/${alarm}/${time.slice(0, 10)}`, database, body }],
      cancellationSignal(),
    );
  },

  /** What became of a request: two signed it, or nobody but the first did in time. Commitments stand for the persons. */
  logApproval: async ({ request, by, approvedBy }: SignedRequest & Partial<Approval>): Promise<void> => {
    const at = await site();
    const database = databaseOfRequest(request);
    const salt = await at.logNameSalt("approvers/");
    const body = {
      ...({ kind: "approval", time: new Date().toISOString(), act: request.act, request: requestHash(request) } as const),
      outcome: approvedBy === undefined ? ("expired" as const) : ("granted" as const),
      requestedBy: commit(by.approver, salt),
      ...(approvedBy === undefined ? {} : { approvedBy: commit(approvedBy.approver, salt) }),
      ...(database === null ? {} : { database: await databaseCommitment(at, database) }),
    };
    await appendEvents(at, [{ identity: `approval/${body.outcome}/${body.request}`, database, body }], cancellationSignal());
  },
});
