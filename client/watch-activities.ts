import type { WorkflowHandle } from "@temporalio/client";
import { defaultPayloadConverter, type Workflow } from "@temporalio/common";

/** What the running activities of a workflow have reported with their heartbeats, summed up. */
export const captureProgress = async (handle: WorkflowHandle<Workflow>): Promise<{ bytes: number; rows: number }> => {
  const { raw } = await handle.describe();
  let bytes = 0;
  let rows = 0;
  for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
    const payload = heartbeatDetails?.payloads?.[0];
    if (payload == null) continue;
    const details = defaultPayloadConverter.fromPayload<{ bytes?: number; rows?: number }>(payload);
    bytes += details.bytes ?? 0;
    rows += details.rows ?? 0;
  }
  return { bytes, rows };
};
