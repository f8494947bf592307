import { type Collection, MongoClient } from "mongodb";
import type { Change, DataSet } from "./data-set.ts";

const database = "bench_source";
const documents = 1_000_000;
const insertedDocuments = documents * 0.05;
const batch = 10_000;

interface Customer {
  readonly _id: number;
  readonly name: string;
  readonly city: string;
  readonly score: number;
  readonly balance: number;
  readonly tags: readonly string[];
  readonly at: Date;
  readonly reviewed?: boolean;
}
type Customers = Collection<Customer>;

const cities = ["Aarhus", "Bergamo", "Cork", "Delft", "Évora", "Freiburg"];

const documentOf = (id: number): Customer => ({
  _id: id,
  name: `customer ${id}`,
  city: cities[id % cities.length] ?? "",
  score: (id * 7_919) % 1_000,
  balance: ((id * 104_729) % 1_000_003) / 100,
  tags: [`t${id % 13}`, `t${id % 17}`],
  at: new Date(1_760_000_000_000 + id * 1_000),
});

const insert = async (into: Customers, from: number, to: number): Promise<void> => {
  for (let start = from; start < to; start += batch) {
    const ids = Array.from({ length: Math.min(batch, to - start) }, (_, at) => start + at);
    await into.insertMany(ids.map(documentOf), { ordered: true });
  }
};

/** The newest hundredth. */
const recent = { _id: { $gte: documents * 0.99 } };

/** A million small documents, loaded anew for each round that follows a change: the server takes longer to change them back. */
export const mongodbData = (server: string): DataSet => {
  const url = `${server.replace(/\/$/, "")}/${database}`;
  const withCustomers = async <T>(work: (customers: Customers) => Promise<T>): Promise<T> => {
    const client = new MongoClient(url);
    try {
      return await work(client.db(database).collection<Customer>("customer"));
    } finally {
      await client.close();
    }
  };
  const changes: Readonly<Record<Change, (customers: Customers) => Promise<unknown>>> = {
    updated: (customers) => customers.updateMany(recent, { $inc: { score: 1_000 } }),
    inserted: (customers) => insert(customers, documents, documents + insertedDocuments),
    column: (customers) => customers.updateMany({ _id: { $lt: documents * 0.05 } }, { $set: { reviewed: false } }),
  };
  let asLoaded = false;
  return {
    name: "mongodb",
    title: "MongoDB, a million small documents",
    mostRounds: 2,
    changes: {
      updated: "the newest hundredth of the documents",
      inserted: "new documents",
      column: "a field, to the oldest twentieth of the documents",
    },
    load: async () => {},
    reset: async () => {
      if (!asLoaded)
        await withCustomers(async (customers) => {
          await customers.drop();
          await insert(customers, 0, documents);
        });
      asLoaded = true;
      return { engine: "mongodb", url };
    },
    change: async (change) => {
      asLoaded = false;
      await withCustomers(changes[change]);
    },
    settle: async () => {},
  };
};
