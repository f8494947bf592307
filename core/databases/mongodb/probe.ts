import { MongoServerError } from "mongodb";
import { isFailure } from "../../domain/failure.ts";
import type { Probe } from "../engine.ts";
import { listCatalog, listIndexes, roleOf } from "./catalog.ts";
import { type Connection, connected } from "./connection.ts";
import { mongoFailure } from "./failures.ts";
import { serverVersion } from "./server-version.ts";

type Problem = Probe["problems"][number];

// Enough to find a role that is missing, without asking for each of thousands of collections.
const collectionsTried = 100;
const oldestVersion = [4, 4] as const;

/** Tries, on a few dozen collections, everything that a capture will do, and says what the user is not allowed to. */
export async function probeDatabase(url: string, signal: AbortSignal): Promise<Probe> {
  return connected(url, signal, "probing", async (connection) => {
    const version = await serverVersion(connection);
    const problems: Problem[] = [...versionProblems(version), ...(await permissionProblems(connection, signal))];
    return { version, databaseName: connection.address.databaseName, estimatedBytes: await estimatedBytes(connection), problems };
  });
}

function versionProblems(version: string): Problem[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const old = major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
  return old
    ? [
        {
          type: "EngineUnsupported",
          message: `MongoDB ${version} is too old; ${oldestVersion.join(".")} is the oldest that can be captured.`,
        },
      ]
    : [];
}

async function permissionProblems(connection: Connection, signal: AbortSignal): Promise<Problem[]> {
  const problems: Problem[] = [];
  const attempt = async <T>(during: string, work: () => Promise<T>): Promise<T | undefined> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const failure = mongoFailure(error, connection.address, during);
      if (!isFailure(failure, "PermissionMissing")) throw failure;
      problems.push({ type: "PermissionMissing", message: failure.message });
      return undefined;
    }
  };
  const catalog = (await attempt("listing collections", () => listCatalog(connection))) ?? [];
  const read = catalog.filter((entry) => ["rows", "buckets"].includes(roleOf(entry, catalog))).slice(0, collectionsTried);
  for (const { name } of read) {
    await attempt(`listing the indexes of ${JSON.stringify(name)}`, () => listIndexes(connection, name));
    await attempt(`reading ${JSON.stringify(name)}`, () =>
      connection.ask({ find: name, limit: 1, singleBatch: true, projection: { _id: 1 } }),
    );
  }
  return problems;
}

/** 0 when the server will not say: an estimate is no reason to fail. */
async function estimatedBytes(connection: Connection): Promise<number> {
  try {
    const { dataSize } = await connection.run({ dbStats: 1 });
    return Number(dataSize ?? 0);
  } catch (error) {
    if (error instanceof MongoServerError) return 0;
    throw error;
  }
}
