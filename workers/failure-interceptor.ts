import { activityInfo, log } from "@temporalio/activity";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import type { ActivityInboundCallsInterceptor } from "@temporalio/worker";
import { redact } from "../core/config/redact.ts";
import { asFailure, failureTypes } from "../core/domain/failure.ts";
import { describeCause } from "../core/snapshot/describe-cause.ts";

/**
 * Turns every error of an activity into one failure of the table, with its type, one sentence and its causes, redacted:
 * what reaches Temporal's history can be shown to anybody who may see the UI.
 */
export const createFailureInterceptor = (): ActivityInboundCallsInterceptor => ({
  execute: async (input, next) => {
    try {
      return await next(input);
    } catch (error) {
      if (error instanceof CancelledFailure || error instanceof ApplicationFailure) throw error;
      if (error instanceof Error && error.name === "AbortError") throw new CancelledFailure("the activity was cancelled");
      const failure = asFailure(error, `${activityInfo().activityType} failed`);
      const cause = describeCause(failure.type === "Unexpected" ? error : failure.cause);
      log.error(redact(failure.message), { failure: failure.type, cause });
      throw ApplicationFailure.create({
        type: failure.type,
        message: redact(failure.message),
        nonRetryable: !failureTypes[failure.type].retry,
        details: cause === "" ? [] : [{ cause, remedy: failureTypes[failure.type].remedy }],
      });
    }
  },
});
