import { type Document, MongoClient } from "mongodb";

/** Creates a database with these collections on the server at `url`, and returns its URL. One of that name is dropped first. */
export const createSampleDocuments = async (
  url: string,
  name: string,
  collections: Readonly<Record<string, readonly Document[]>>,
): Promise<string> => {
  const own = new URL(url);
  own.pathname = `/${encodeURIComponent(name)}`;
  const client = new MongoClient(url);
  try {
    const db = client.db(name);
    await db.dropDatabase();
    for (const [collection, documents] of Object.entries(collections)) {
      await db.createCollection(collection);
      if (documents.length > 0) await db.collection(collection).insertMany([...documents]);
    }
    return own.href;
  } finally {
    await client.close();
  }
};
