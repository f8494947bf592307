import { Client, Connection, isGrpcServiceError } from "@temporalio/client";
import { Failure, type FailureType } from "../core/domain/failure.ts";
import { type ConnectionSecurity, connectionSecurity } from "../core/site/connection-security.ts";
import type { Site } from "../core/site/site.ts";

export interface Orchestrator {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client of the Temporal service that the site's configuration names. */
export const connectSite = async (site: Site): Promise<Orchestrator> => {
  const { address, namespace } = site.loaded.config.temporal;
  const orchestrator = await connectOrchestrator({ address, namespace, ...(await connectionSecurity(site)) });
  try {
    await orchestrator.client.workflowService.describeNamespace({ namespace });
    return orchestrator;
  } catch (error) {
    await orchestrator.close();
    throw isGrpcServiceError(error) && error.code === notFound
      ? new Failure("ConfigurationInvalid", `Temporal at ${address} has no namespace "${namespace}", which temporal.namespace names`)
      : orchestratorFailure(error, address);
  }
};

/** Codes of gRPC, https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
const notFound = 5;
const failureOfCode: Readonly<Record<number, readonly [FailureType, string]>> = {
  4: ["OrchestratorUnreachable", "did not answer in time"],
  7: ["PermissionMissing", "refuses what this client asked for"],
  14: ["OrchestratorUnreachable", "does not answer any more"],
  16: ["AuthenticationRejected", "rejects this client's credentials"],
};

/** The failure that an error of Temporal's service is; any other error as it was. */
export const orchestratorFailure = (error: unknown, address: string): unknown => {
  for (let at = error; at instanceof Error; at = at.cause) {
    const known = isGrpcServiceError(at) ? failureOfCode[at.code] : undefined;
    if (known !== undefined) return new Failure(known[0], `Temporal at ${address} ${known[1]}`, { cause: at });
  }
  return error;
};

export const connectOrchestrator = async ({
  address,
  namespace,
  ...security
}: { readonly address: string; readonly namespace: string } & Partial<ConnectionSecurity>): Promise<Orchestrator> => {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, ...security, connectTimeout: 5_000 });
  } catch (cause) {
    throw new Failure("OrchestratorUnreachable", `Temporal at ${address} does not answer`, { cause });
  }
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
};
