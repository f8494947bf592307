import { Client, Connection } from "@temporalio/client";
import { Failure } from "../core/domain/failure.ts";
import { type ConnectionSecurity, connectionSecurity } from "../core/site/connection-security.ts";
import type { Site } from "../core/site/site.ts";

export interface Orchestrator {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client of the Temporal service that the site's configuration names. */
export const connectSite = async (site: Site): Promise<Orchestrator> => {
  const { address, namespace } = site.loaded.config.temporal;
  return await connectOrchestrator({ address, namespace, ...(await connectionSecurity(site)) });
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
