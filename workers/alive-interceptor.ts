import { activityInfo, heartbeat } from "@temporalio/activity";
import type { ActivityInboundCallsInterceptor } from "@temporalio/worker";

const beatEveryMs = 2_000;
/** A step that may take longer tells of its progress itself, and by that whether it still comes forward. */
const shortStepMs = 60 * 60_000;

/**
 * Says for every short step that its worker lives, so that one whose worker was killed is tried again within seconds rather
 * than at the end of the time that the step may take, which bounds it when it hangs.
 */
export const createAliveInterceptor = (): ActivityInboundCallsInterceptor => ({
  execute: async (input, next) => {
    if (activityInfo().startToCloseTimeoutMs > shortStepMs) return await next(input);
    const beat = setInterval(() => heartbeat(), beatEveryMs);
    try {
      return await next(input);
    } finally {
      clearInterval(beat);
    }
  },
});
