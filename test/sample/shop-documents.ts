import { BSON, type Document } from "mongodb";
import { csvRows } from "./csv-rows.ts";

const { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } = BSON;

/** The rows of one parent lie together in TPC-H's files, in the parents' order. */
async function* grouped(file: string): AsyncGenerator<string[][], void, undefined> {
  let group: string[][] = [];
  for await (const row of csvRows(file)) {
    if (group.length > 0 && group[0]?.[0] !== row[0]) {
      yield group;
      group = [];
    }
    group.push(row);
  }
  if (group.length > 0) yield group;
}

const day = (text: string | undefined): Date => new Date(`${text}T00:00:00Z`);

/** An id that follows from a number, so that the same scale gives the same documents. */
const objectId = (kind: number, number: number): BSON.ObjectId =>
  new ObjectId(kind.toString(16).padStart(8, "0") + number.toString(16).padStart(16, "0"));

const lineItem = ([, part, , line, quantity, price, discount, , returned, , shipped]: string[]): Document => ({
  line: new Int32(Number(line)),
  part: Number(part),
  quantity: Number(quantity),
  price: [Long.fromNumber(Math.round(Number(price) * 100)), new Double(Number(discount))],
  shipped: day(shipped),
  ...(returned === "R" ? { returned: true } : {}),
});

/** Orders with their line items inside, as an application would keep them. */
export async function* orderDocuments(orders: string, lineItems: string): AsyncGenerator<Document, void, undefined> {
  const groups = grouped(lineItems);
  for await (const [key, customer, status, total, ordered, priority, clerk, , comment] of csvRows(orders)) {
    const items = (await groups.next()).value ?? [];
    if (items[0]?.[0] !== key) throw new Error(`TPC-H has no line items of order ${key}`);
    const number = Number(key);
    yield {
      _id: objectId(1, number),
      number: Long.fromNumber(number),
      customer: new Int32(Number(customer)),
      status,
      total: Number(total),
      at: day(ordered),
      priority,
      ...(number % 3 === 0 ? {} : { clerk }),
      comment,
      items: items.map(lineItem),
      ...(number % 5 === 0
        ? { sync: new Timestamp({ t: 1_600_000_000 + number, i: number % 9 }), hash: new Binary(Buffer.from(comment ?? "")) }
        : {}),
    };
  }
}

/** What happened to each order: three or four small documents. */
export async function* eventDocuments(orders: string): AsyncGenerator<Document, void, undefined> {
  for await (const [key, , status, , ordered] of csvRows(orders)) {
    const number = Number(key);
    const at = day(ordered).getTime();
    const event = (n: number, what: string, time: Date | null): Document => ({
      _id: objectId(2, number * 4 + n),
      order: number,
      what,
      at: time,
    });
    yield event(0, "placed", new Date(at));
    yield event(1, status === "F" ? "paid" : "reserved", new Date(at + (number % 86_400_000)));
    yield event(2, "packed", new Date(at + 86_400_000 + number));
    if (number % 2 === 0) yield event(3, "called", null);
  }
}

/** Customers with ids of every kind that an id can be. */
export async function* customerDocuments(file: string): AsyncGenerator<Document, void, undefined> {
  for await (const [key, name, address, nation, phone, balance, segment, comment] of csvRows(file)) {
    const number = Number(key);
    const ids: unknown[] = [
      new Int32(number),
      `customer ${number}`,
      Long.fromNumber(2 ** 40 + number),
      new BSON.UUID(uuidOf(number)),
      { branch: "süd", number },
    ];
    yield {
      _id: ids[number % ids.length],
      name: number % 50 === 0 ? `Müller & Söhne 漢字 🎉 ${name}` : name,
      address: { street: address, nation: new Int32(Number(nation)), geo: [number / 7, -number / 11] },
      phones: number % 4 === 0 ? [] : [phone],
      balance: Number(balance),
      segment,
      notes: number % 6 === 0 ? null : comment,
      active: number % 2 === 0,
    };
  }
}

const uuidOf = (number: number): string => `5ca1ab1e-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;

export async function* productDocuments(file: string): AsyncGenerator<Document, void, undefined> {
  for await (const [key, name, maker, brand, type, size, container, price] of csvRows(file)) {
    const number = Number(key);
    yield {
      _id: number,
      name,
      maker,
      brand,
      type: type?.split(" "),
      size: new Int32(Number(size)),
      container,
      price: Number(price),
      empty: {},
    };
  }
}

/** Every BSON type that every server of MongoDB's protocol takes. */
export const everyType = (): Document[] => [
  { _id: "double", values: [0, -0, 1.5, 1e-300, 1.7976931348623157e308].map((value) => new Double(value)) },
  { _id: "string", empty: "", unicode: "Zażółć gęślą jaźń 😀", zero: "a\u0000b", long: "x".repeat(70_000) },
  { _id: "object", empty: {}, "": "the empty name", "with space": { ünï: { deep: { deeper: {} } } } },
  { _id: "array", empty: [], mixed: [new Int32(1), "two", null, { three: 3 }, true] },
  { _id: "binary", all: [0, 1, 2, 3, 4, 5, 6, 128].map((type) => new Binary(Buffer.alloc(type === 3 || type === 4 ? 16 : 9, type), type)) },
  { _id: "objectId", value: objectId(7, 7) },
  { _id: "boolean", yes: true, no: false },
  { _id: "date", values: [0, -1, -62_135_596_800_000, 253_402_300_799_999].map((time) => new Date(time)) },
  { _id: "null", value: null },
  { _id: "regex", value: new BSON.BSONRegExp("^a.b/\\d", "im") },
  { _id: "int32", values: [0, -1, 2_147_483_647, -2_147_483_648].map((value) => new Int32(value)) },
  { _id: "timestamp", value: new Timestamp({ t: 4_000_000_000, i: 9 }) },
  { _id: "int64", values: [Long.MIN_VALUE, Long.ZERO, Long.MAX_VALUE] },
];

/** What else MongoDB keeps; FerretDB 1 does not. */
export const rareTypes = (): Document[] => [
  { _id: "decimal128", values: ["0E-6176", "1.50", "-0", "NaN", "Infinity"].map((text) => Decimal128.fromString(text)) },
  { _id: "not a number", value: Number.NaN },
  { _id: "minKey", value: new BSON.MinKey() },
  { _id: "maxKey", value: new BSON.MaxKey() },
  { _id: "code", value: new BSON.Code("return x", { x: 1 }) },
  { _id: "nested arrays", value: [[1, [2]], []] },
  { _id: "odd keys", value: { "a.b": 1, $c: 2 } },
];
