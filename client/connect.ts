import { Client, Connection } from "@temporalio/client";
import { Failure } from "../core/domain/failure.ts";

export interface Orchestrator {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client of the Temporal service that the configuration names. */
export const connectOrchestrator = async ({
  address,
  namespace,
}: {
  readonly address: string;
  readonly namespace: string;
}): Promise<Orchestrator> => {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: 5_000 });
  } catch (cause) {
    throw new Failure("OrchestratorUnreachable", `Temporal at ${address} does not answer`, { cause });
  }
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
};
