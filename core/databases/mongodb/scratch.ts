import { type Db, MongoServerError } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import { parseAddress, withDatabase } from "./address.ts";
import { connected } from "./connection.ts";

/** Makes sure that no database of that name is there, and gives the URL for it: MongoDB creates a database with its first collection. */
export async function createScratch(url: string, name: string, signal: AbortSignal): Promise<string> {
  refuseOwn(url, name);
  return connected(url, signal, `preparing scratch database ${JSON.stringify(name)}`, async ({ client }) => {
    await dropWithRoles(client.db(name), signal);
    // Known only now: for mongodb+srv a DNS record may have named it.
    return withDatabase(url, name, client.options.credentials?.source);
  });
}

/** Drops the scratch database; one that is not there is no error to the server either. */
export async function dropScratch(url: string, name: string, signal: AbortSignal): Promise<void> {
  refuseOwn(url, name);
  await connected(url, signal, `dropping scratch database ${JSON.stringify(name)}`, ({ client }) => dropWithRoles(client.db(name), signal));
}

/** Roles outlive their database. Whoever may not drop them may not have made them either. */
async function dropWithRoles(db: Db, signal: AbortSignal): Promise<void> {
  await db.command({ dropDatabase: 1 }, { signal });
  await db.command({ dropAllRolesFromDatabase: 1 }, { signal }).catch((error: unknown) => {
    if (!(error instanceof MongoServerError)) throw error;
  });
}

/** A scratch database is dropped with all that it holds, so its name must not be that of anything worth keeping. */
function refuseOwn(url: string, name: string): void {
  const { databaseName, label } = parseAddress(url);
  if ([databaseName, "admin", "config", "local"].some((kept) => kept.toLowerCase() === name.toLowerCase()))
    throw new Failure("UsageInvalid", `${JSON.stringify(name)} cannot be a scratch database beside ${label}: it is not one to be dropped.`);
}
