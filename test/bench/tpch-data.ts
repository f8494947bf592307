import { loadTpch } from "../sample/tpch.ts";
import type { DataSet } from "./data-set.ts";
import { postgresData } from "./postgres-data.ts";

/** One row in a hundred by chance, but the same ones in every round. */
const everyHundredth = (key: string): string => `abs(hashint8(${key})::bigint) % 100 = 7`;
const everyTwentieth = (key: string): string => `abs(hashint8(${key})::bigint) % 20 = 3`;
/** Beyond all keys that there are. */
const beyond = 1_000_000_000;

const itemColumns =
  "l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode";
const orderColumns = "o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority, o_clerk, o_shippriority";

/** TPC-H: what changes is spread over its two largest tables, which is the worst case for all that look for what is the same. */
export const tpchData = (server: string, scale: number, only?: DataSet["only"]): DataSet => ({
  ...postgresData(server, {
    name: `tpch-${scale}`,
    title: `TPC-H ${scale}`,
    load: (url) => loadTpch(url, scale),
    touched: ["orders", "lineitem"],
    changes: {
      updated: {
        what: "every hundredth order and its items, spread by chance over `orders` and `lineitem`",
        sql: [
          `UPDATE orders SET o_comment = left('changed ' || o_comment, 79) WHERE ${everyHundredth("o_orderkey")}`,
          `UPDATE lineitem SET l_comment = left('changed ' || l_comment, 44) WHERE ${everyHundredth("l_orderkey")}`,
        ],
      },
      inserted: {
        what: "orders and their items under new keys",
        sql: [
          `INSERT INTO orders (o_orderkey, o_comment, ${orderColumns})
           SELECT o_orderkey + ${beyond}, md5(o_comment), ${orderColumns} FROM orders WHERE ${everyTwentieth("o_orderkey")}`,
          `INSERT INTO lineitem (l_orderkey, l_comment, ${itemColumns})
           SELECT l_orderkey + ${beyond}, md5(l_comment), ${itemColumns} FROM lineitem WHERE ${everyTwentieth("l_orderkey")}`,
        ],
      },
      column: { what: "to `orders`, with a default", sql: ["ALTER TABLE orders ADD COLUMN o_reviewed boolean NOT NULL DEFAULT false"] },
    },
  }),
  ...(only === undefined ? {} : { only }),
});
