import { type Db, type Document, MongoClient } from "mongodb";
import { customerDocuments, eventDocuments, everyType, orderDocuments, productDocuments, rareTypes } from "./shop-documents.ts";
import { withTpchFiles } from "./tpch-files.ts";

export interface LoadedDocuments {
  readonly documents: number;
  readonly collections: number;
}

/** Orders of TPC-H of scale 1, their events, customers and parts, less a little. */
const documentsOfScale1 = 7_050_000;
const documentsPerInsert = 2_000;

/**
 * Loads a shop of at least so many documents into the empty database that `url` names: TPC-H's orders with their line items
 * embedded, events, customers, products, and every BSON type that the server takes. The same number gives the same documents.
 */
export const loadShopDocuments = async (url: string, { documents }: { readonly documents: number }): Promise<LoadedDocuments> => {
  const client = new MongoClient(url);
  try {
    const db = client.db();
    await db.createCollection("leere Sammlung");
    await db.createCollection("latest.events", { capped: true, size: 1 << 20, max: 500 });
    // One after the other: writers of one database only wait for each other in FerretDB.
    const inserted = await withTpchFiles(documents / documentsOfScale1, ["orders", "lineitem", "customer", "part"], async (fileOf) => [
      await insertAll(db, "orders", orderDocuments(fileOf("orders"), fileOf("lineitem"))),
      await insertAll(db, "events", eventDocuments(fileOf("orders"))),
      await insertAll(db, "customers", customerDocuments(fileOf("customer"))),
      await insertAll(db, "products", productDocuments(fileOf("part"))),
      await insertAll(db, "every type", await typesKnownTo(db)),
      await insertAll(db, "latest.events", latestEvents()),
    ]);
    await createIndexes(db);
    return { documents: inserted.reduce((sum, number) => sum + number, 0), collections: inserted.length + 1 };
  } finally {
    await client.close();
  }
};

const createIndexes = async (db: Db): Promise<void> => {
  await db.collection("orders").createIndex({ customer: 1, at: -1 }, { name: "of a customer, newest first" });
  await db.collection("orders").createIndex({ number: 1 }, { unique: true });
  await db.collection("customers").createIndex({ "address.nation": 1 });
};

/** How many there were. The next batch is made while the server takes the last one. */
const insertAll = async (db: Db, name: string, documents: AsyncIterable<Document> | Iterable<Document>): Promise<number> => {
  const collection = db.collection(name);
  let inserted = 0;
  let batch: Document[] = [];
  let inserting: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await inserting;
    if (batch.length === 0) return;
    inserted += batch.length;
    inserting = collection.insertMany(batch, { ordered: false });
    inserting.catch(() => {}); // thrown when the next batch, or the end, waits for it
    batch = [];
  };
  for await (const document of documents) {
    batch.push(document);
    if (batch.length === documentsPerInsert) await flush();
  }
  await flush();
  await inserting;
  return inserted;
};

const typesKnownTo = async (db: Db): Promise<Document[]> => {
  const server = await db.command({ buildInfo: 1 });
  // FerretDB 1 ends the connection when it meets a type that it does not know.
  const isFerret = Object.keys(server).some((field) => field.startsWith("ferretdb"));
  return isFerret ? everyType() : [...everyType(), ...rareTypes()];
};

const latestEvents = (): Document[] => Array.from({ length: 500 }, (_, number) => ({ _id: number, what: `event ${number}` }));
