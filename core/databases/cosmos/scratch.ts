import { Failure } from "../../domain/failure.ts";
import { parseAddress, withDatabase } from "./address.ts";
import { connect } from "./connection.ts";
import { createDatabase, leastThroughput } from "./create.ts";
import { cosmosFailure } from "./failures.ts";

/** Creates an empty database of that name, with the least throughput where the account sells any, and gives the connection for it. */
export async function createScratch(url: string, name: string, signal: AbortSignal): Promise<string> {
  await dropScratch(url, name, signal);
  const scratch = withDatabase(url, name);
  const connection = await connect(scratch, signal, { mayBeMissing: true });
  try {
    await createDatabase(connection, connection.throughput === undefined ? null : leastThroughput, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw cosmosFailure(error, connection.address, "creating the scratch database");
  }
  return scratch;
}

/** Drops the scratch database; one that is not there is no error. */
export async function dropScratch(url: string, name: string, signal: AbortSignal): Promise<void> {
  const { databaseName, label } = parseAddress(url);
  // A scratch database is dropped with all that it holds, so its name must not be that of anything worth keeping.
  if (databaseName === name)
    throw new Failure("UsageInvalid", `${JSON.stringify(name)} cannot be a scratch database beside ${label}: it is not one to be dropped.`);
  const connection = await connect(withDatabase(url, name), signal, { mayBeMissing: true });
  if (connection.rid === undefined) return;
  try {
    await connection.send({ method: "DELETE", resource: [] }, connection.budget(), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw cosmosFailure(error, connection.address, "dropping the scratch database");
  }
}
