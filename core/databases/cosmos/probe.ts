import { isFailure } from "../../domain/failure.ts";
import type { Probe } from "../engine.ts";
import { listContainers, listRanges, listScripts, readContainer } from "./catalog.ts";
import { type Connection, connected } from "./connection.ts";
import { cosmosFailure } from "./failures.ts";
import { readPage } from "./read-feed.ts";

// Enough to find a key that may not read; each costs request units.
const containersTried = 5;

/** Tries on a few containers everything that a capture will do. */
export async function probeDatabase(url: string, signal: AbortSignal): Promise<Probe> {
  return connected(url, signal, "probing", async (connection) => {
    const problems: Probe["problems"][number][] = [];
    let estimatedBytes = 0;
    const attempt = async (during: string, work: () => Promise<unknown>): Promise<void> => {
      signal.throwIfAborted();
      try {
        await work();
      } catch (error) {
        const failure = cosmosFailure(error, connection.address, during);
        if (!isFailure(failure, "PermissionMissing")) throw failure;
        problems.push({ type: "PermissionMissing", message: failure.message });
      }
    };
    await attempt("listing containers", async () => {
      const containers = await listContainers(connection, signal);
      for (const { id } of containers) estimatedBytes += (await readContainer(connection, id, signal))?.bytes ?? 0;
      for (const container of containers.slice(0, containersTried))
        await attempt(`reading container ${JSON.stringify(container.id)}`, () => tryContainer(connection, container, signal));
    });
    return { version: connection.serverVersion, databaseName: connection.address.databaseName, estimatedBytes, problems };
  });
}

async function tryContainer(connection: Connection, { id, rid }: { id: string; rid: string }, signal: AbortSignal): Promise<void> {
  await listScripts(connection, id, "storedProcedures", signal);
  const [range] = await listRanges(connection, id, signal);
  if (range !== undefined) await readPage(connection, { container: id, rid, range, size: 1 }, signal);
}
