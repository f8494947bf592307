import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { redact } from "../../core/config/redact.ts";
import { asFailure, Failure, failureTypes } from "../../core/domain/failure.ts";

/** The HTTP status that a failure ends a request with. */
const statusOf = (failure: Failure): number => {
  if (failure.type === "TokenRejected") return 401;
  const { exit, retry } = failureTypes[failure.type];
  if (exit === 4) return 404;
  if (failure.type === "UsageInvalid") return 400;
  return retry ? 503 : 500;
};

/** The same object that commands print with `--json`. */
const errorBody = ({ type, message }: Failure): { error: { type: string; message: string; remedy: string } } => ({
  error: { type, message: redact(message), remedy: failureTypes[type].remedy },
});

export const refuse = (reply: FastifyReply, failure: Failure, status = statusOf(failure)): FastifyReply =>
  reply.code(status).send(errorBody(failure));

/** Every answer that is no success is one failure, said in one sentence. Nothing can be written: any other method is refused by 405. */
export const answerErrors = (app: FastifyInstance): void => {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const wrongRequest = !(error instanceof Failure) && error.statusCode !== undefined && error.statusCode < 500;
    if (wrongRequest && error.statusCode !== 429) return refuse(reply, new Failure("UsageInvalid", error.message), error.statusCode);
    if (wrongRequest) return refuse(reply, new Failure("AuditUnreachable", error.message), 429);
    return refuse(reply, asFailure(error, "answering an auditor"));
  });
  app.setNotFoundHandler((request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refuse(reply.header("allow", "GET, HEAD"), new Failure("UsageInvalid", "the audit API only reads: GET and HEAD"), 405);
    }
    return refuse(reply, new Failure("NameUnknown", "the audit API has no such path; /docs lists those that it has"));
  });
};
