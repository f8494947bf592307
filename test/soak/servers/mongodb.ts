import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BSON, type Db, MongoClient } from "mongodb";
import { answersMongodb } from "../../stack/components/mongodb.ts";
import { chooseFreePorts } from "../../stack/ports.ts";
import { findProgram } from "../../stack/programs.ts";
import { progressToStderr } from "../../stack/progress.ts";
import { openProgram } from "./program.ts";
import type { OpenServer } from "./soaked-server.ts";

const inDatabase = async <T>(url: string, work: (db: Db) => Promise<T>): Promise<T> => {
  const client = new MongoClient(url, { directConnection: true, promoteValues: false });
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
};

const word = (text: string): string => createHash("sha256").update(text).digest("hex");
const collections = ["customers", "orders", "documents", "nothing"];

/** A few megabytes, as the other engines' sources have them. */
const fill = async (db: Db): Promise<void> => {
  const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
  await db.createCollection("nothing");
  await db.collection<{ _id: number }>("customers").insertMany(many(5_000, (n) => ({ _id: n, name: word(`c${n}`), credit: n % 200 })));
  await db
    .collection<{ _id: string }>("orders")
    .insertMany(many(9_000, (n) => ({ _id: `o${n}`, customer: n % 5_000, note: word(`o${n}`) })));
  await db
    .collection("documents")
    .insertMany(many(2_000, (n) => ({ body: { n, text: word(`d${n}`).repeat(4) }, scan: Buffer.from(word(`s${n}`), "hex") })));
  await db.collection("orders").createIndex({ customer: 1, note: -1 });
};

/** FerretDB over SQLite: no snapshots and no change streams, so that every backup reads each collection as it is then. */
export const openMongodb: OpenServer = async (folder, _bin, undoing) => {
  const [port] = await chooseFreePorts(1, new Set());
  const data = join(folder, "ferretdb");
  await mkdir(data);
  const base = `mongodb://127.0.0.1:${port}`;
  const command = await findProgram("ferretdb", progressToStderr);
  const answers = () => answersMongodb(`${base}/`);
  const program = await openProgram({ command, args: [`127.0.0.1:${port}`, data], cwd: folder, answers }, undoing);
  const [source, target] = [`${base}/soak`, `${base}/soak_target`];
  await inDatabase(source, fill);
  return {
    ...program,
    ...{ engine: "mongodb", source, target },
    change: (random) =>
      inDatabase(source, async (db) => {
        const [salt, share] = [random.between(1, 1_000_000_000), random.oneOf([2, 20, 400])];
        const chosen = Array.from({ length: Math.ceil(5_000 / share) }, (_, n) => n * share + (salt % share));
        await db.collection<{ _id: number }>("customers").updateMany({ _id: { $in: chosen } }, { $set: { credit: salt } });
        await db.collection("orders").deleteMany({ customer: { $in: chosen.slice(0, 20) } });
        const added = Array.from({ length: random.between(1, 300) }, (_, n) => ({
          _id: `${salt} ${n}`,
          customer: n,
          note: word(`${salt}${n}`),
        }));
        await db.collection<{ _id: string }>("orders").insertMany(added);
      }),
    contentOf: (url) =>
      inDatabase(url, async (db) => {
        const present = (await db.listCollections().toArray()).map(({ name }) => name).sort();
        const parts: string[] = [present.join(" ")];
        for (const name of collections) {
          const documents = (await db.collection(name).find().toArray()).map((each) =>
            Buffer.from(BSON.serialize(each)).toString("base64"),
          );
          const indexes = present.includes(name) ? (await db.collection(name).indexes()).map((index) => JSON.stringify(index.key)) : [];
          parts.push(`${name} ${documents.length} ${word(documents.sort().join(" "))} ${indexes.sort().join(" ")}`);
        }
        return parts.join(", ");
      }),
    watchTarget: async () => () =>
      inDatabase(target, async (db) => (await db.listCollections().toArray()).some(({ name }) => name.startsWith("dbgov_restore_"))),
    scratches: () =>
      inDatabase(`${base}/admin`, async (db) =>
        (await db.admin().listDatabases({ nameOnly: true })).databases
          .map(({ name }) => String(name))
          .filter((name) => name.startsWith("dbgov_drill_")),
      ),
  };
};
