import { createClient } from "@redis/client";
import { MongoClient } from "mongodb";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { databaseAt, type Place } from "../integration/cosmos-place.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { loadShopDocuments } from "../sample/shop-mongodb.ts";
import { loadShop } from "../sample/shop-postgres.ts";
import { databaseOf, runSql } from "../sample/test-site.ts";
import type { StackAddresses } from "../stack/components.ts";

/** A database that is lost, and where it is restored to. */
export interface LostDatabase {
  readonly name: string;
  readonly engine: EngineName;
  readonly url: string;
  /** An empty database under another name, new each time. */
  target(): Promise<string>;
  /** The database itself goes, too. */
  drop(): Promise<void>;
}

type Servers = Pick<StackAddresses, "postgres" | "mongodb" | "redis" | "cosmos">;

/** One database of each engine: a shop of `scale` (TPC-H's) and documents, keys and items in proportion. */
export const loadEstate = async (servers: Servers, scale: number): Promise<LostDatabase[]> => {
  const databases = [postgres(servers), mongodb(servers), redis(servers), cosmos(servers)];
  const loaded: LostDatabase[] = [];
  for (const { load, ...database } of databases) {
    await load(scale);
    loaded.push(database);
  }
  return loaded;
};

type Loading = LostDatabase & { load(scale: number): Promise<void> };

const postgres = ({ postgres: { url: server } }: Servers): Loading => {
  const url = Object.assign(new URL(server), { pathname: "/shop" }).href;
  return {
    name: "shop",
    engine: "postgres",
    url,
    load: async (scale) => {
      await createSampleDatabase(server, "shop");
      await loadShop(url, { scale });
    },
    target: () => createSampleDatabase(server, "shop_restored"),
    drop: async () => void (await runSql(server, `DROP DATABASE "${databaseOf(url)}" WITH (FORCE)`)),
  };
};

const mongodb = ({ mongodb: { url: server } }: Servers): Loading => {
  const at = (name: string): string => Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const drop = async (name: string): Promise<void> => {
    const client = new MongoClient(at(name));
    await client.db().dropDatabase();
    await client.close();
  };
  return {
    name: "events",
    engine: "mongodb",
    url: at("events"),
    load: async (scale) => {
      await loadShopDocuments(at("events"), { documents: Math.ceil(scale * 250_000) });
    },
    target: async () => {
      await drop("events_restored");
      return at("events_restored");
    },
    drop: () => drop("events"),
  };
};

const redis = ({ redis: { url: server } }: Servers): Loading => {
  const [url, target] = [`${server}/0`, `${server}/1`];
  const on = async (at: string, work: (call: (...command: string[]) => Promise<unknown>) => Promise<unknown>): Promise<void> => {
    const client = createClient({ url: at, RESP: 2 });
    client.on("error", () => {});
    await client.connect();
    await work((...command) => client.sendCommand(command)).finally(() => client.destroy());
  };
  return {
    name: "cache",
    engine: "redis",
    url,
    load: (scale) =>
      on(url, async (call) => {
        const keys = Math.ceil(scale * 500_000);
        for (let from = 0; from < keys; from += 1_000)
          await Promise.all(
            Array.from({ length: Math.min(1_000, keys - from) }, (_, n) =>
              call("HSET", `user:${from + n}`, "name", `Nutzer ${n}`, "mail", `${from + n}@example.org`, "visits", String(n * 7)),
            ),
          );
      }),
    target: async () => {
      await on(target, (call) => call("FLUSHDB"));
      return target;
    },
    drop: () => on(url, (call) => call("FLUSHDB")),
  };
};

const cosmos = ({ cosmos: { endpoint, key } }: Servers): Loading => {
  const at = (name: string): Promise<Place> => databaseAt(endpoint, key, name);
  const drop = async (name: string): Promise<void> => await (await at(name))[Symbol.asyncDispose]();
  return {
    name: "orders",
    engine: "cosmos",
    url: `AccountEndpoint=${endpoint};AccountKey=${key};Database=orders;RequestUnitShare=1`,
    load: async (scale) => {
      const place = await at("orders");
      const items = Array.from({ length: Math.ceil(scale * 10_000) }, (_, n) => ({
        id: `order ${n}`,
        customer: `c${n % 97}`,
        total: n / 3,
      }));
      await place.container({ id: "orders", partitionKey: { paths: ["/customer"] } }, items);
      place.client.dispose();
    },
    target: async () => {
      await drop("orders_restored");
      const place = await at("orders_restored");
      place.client.dispose();
      return place.url;
    },
    drop: () => drop("orders"),
  };
};
