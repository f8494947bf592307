import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { CosmosClient, type Database } from "@azure/cosmos";
import { ask } from "../../stack/components/http.ts";
import { chooseFreePorts } from "../../stack/ports.ts";
import { findProgram } from "../../stack/programs.ts";
import { progressToStderr } from "../../stack/progress.ts";
import { openProgram } from "./program.ts";
import type { OpenServer } from "./soaked-server.ts";

const word = (text: string): string => createHash("sha256").update(text).digest("hex");
const containers = ["customers", "orders", "nothing"];

/** Work on many, some of them at a time. */
const each = async (count: number, work: (n: number) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < count; from += 16)
    await Promise.all(Array.from({ length: Math.min(16, count - from) }, (_, at) => work(from + at)));
};

const fill = async (database: Database): Promise<void> => {
  for (const id of containers) await database.containers.create({ id, partitionKey: { paths: [id === "orders" ? "/customer" : "/id"] } });
  const [customers, orders] = [database.container("customers"), database.container("orders")];
  await each(300, (n) => customers.items.create({ id: `c${n}`, name: word(`c${n}`), credit: n % 200 }));
  await each(600, (n) => orders.items.create({ id: `o${n}`, customer: n % 300, note: word(`o${n}`).repeat(3) }));
  await customers.scripts.userDefinedFunctions.create({ id: "tax", body: "function tax(n) { return n * 1.19 }" });
};

const contentOf = async (database: Database): Promise<string> => {
  const parts: string[] = [];
  for (const id of containers) {
    const { resources } = await database.container(id).items.readAll<Record<string, unknown>>().fetchAll();
    const own = resources.map((document) => JSON.stringify(Object.entries(document).filter(([name]) => !name.startsWith("_"))));
    const functions = (await database.container(id).scripts.userDefinedFunctions.readAll().fetchAll()).resources.map(({ body }) => body);
    parts.push(`${id} ${own.length} ${word(own.sort().join(" "))} ${functions.sort().join(" ")}`);
  }
  return parts.join(", ");
};

/**
 * The emulator of Cosmos DB. It keeps everything in memory, so that it is never ended: faults of the server itself are none of its. Each
 * document is written by a request of its own, hence few of them.
 */
export const openCosmos: OpenServer = async (folder, _bin, undoing) => {
  const [port] = await chooseFreePorts(1, new Set());
  const key = randomBytes(48).toString("hex");
  const endpoint = `http://127.0.0.1:${port}/`;
  const serve = join(import.meta.dirname, "..", "..", "stack", "cosmos", "serve.cjs");
  const args = [serve, await findProgram("cosmos", progressToStderr), String(port)];
  const program = await openProgram(
    { command: process.execPath, args, cwd: folder, answers: async () => (await ask(endpoint)).json() },
    undoing,
  );
  const client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } });
  undoing.add(async () => client.dispose());
  const { database } = await client.databases.createIfNotExists({ id: "soak" });
  await fill(database);
  const urlOf = (name: string): string => `http://:${key}@127.0.0.1:${port}/${name}?requestUnitShare=1`;
  const named = (url: string): Database => client.database(new URL(url).pathname.slice(1));
  const target = urlOf("soak_target");
  return {
    ...program,
    ...{ engine: "cosmos", source: urlOf("soak"), target },
    change: async (random) => {
      const [salt, share] = [random.between(1, 1_000_000_000), random.oneOf([2, 20, 100])];
      const [customers, orders] = [database.container("customers"), database.container("orders")];
      await each(Math.floor(300 / share), (n) =>
        customers.items.upsert({ id: `c${n * share + (salt % share)}`, name: word(`${salt}`), credit: salt }),
      );
      await each(random.between(1, 40), (n) => orders.items.create({ id: `${salt} ${n}`, customer: n, note: word(`${salt}${n}`) }));
      const { resources } = await orders.items.readAll<{ id: string; customer: number }>().fetchAll();
      await each(Math.min(20, resources.length), (n) => orders.item(resources[n]!.id, resources[n]!.customer).delete());
    },
    contentOf: (url) => contentOf(named(url)),
    watchTarget: async () => async () => {
      const functions = named(target).container("customers").scripts.userDefinedFunctions;
      const found = await functions
        .readAll()
        .fetchAll()
        .catch(() => ({ resources: [] })); // the container is not there
      return found.resources.some(({ id }) => id?.startsWith("dbgov_restore_") === true);
    },
    scratches: async () =>
      (await client.databases.readAll().fetchAll()).resources.map(({ id }) => id).filter((id) => id.startsWith("dbgov_drill_")),
  };
};
