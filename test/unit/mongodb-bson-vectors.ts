/** A document around one element, given by its type byte and the hex of its value. */
const element = (type: number, valueHex: string): Buffer => {
  const value = Buffer.from(valueHex, "hex");
  const bytes = Buffer.concat([Buffer.alloc(4), idElement, Buffer.from([type, 0x76, 0]), value, Buffer.from([0])]);
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
};
const idElement = Buffer.from("105f69640007000000", "hex"); // _id: Int32 7
const embedded = (elementsHex: string): string => {
  const length = Buffer.alloc(4);
  length.writeInt32LE(4 + elementsHex.length / 2 + 1, 0);
  return `${length.toString("hex")}${elementsHex}00`;
};
const text = (words: string): string => {
  const bytes = Buffer.from(`${words}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes.length, 0);
  return length.toString("hex") + bytes.toString("hex");
};

/** Documents in their bytes, one for each thing that a trip through JavaScript values could change. All have `_id` Int32 7. */
export const vectors: Readonly<Record<string, Buffer>> = {
  double: element(0x01, "000000000000f83f"),
  "double that is whole": element(0x01, "000000000000f03f"),
  "negative zero": element(0x01, "0000000000000080"),
  "NaN with a payload": element(0x01, "120000000000f87f"),
  "signaling NaN": element(0x01, "010000000000f07f"),
  infinity: element(0x01, "000000000000f0ff"),
  "string with a null": element(0x02, "0400000061006200"),
  "string that is not UTF-8": element(0x02, "03000000fffe00"),
  "document with keys like numbers": element(0x03, embedded("103130000100000010390002000000")),
  "document with a key twice": element(0x03, embedded("1061000100000010610002000000026100020000007800")),
  "empty key": element(0x03, embedded("100005000000")),
  "keys with dollar and dot": element(0x03, embedded("1024726566000100000010612e620002000000100003000000")),
  "array with names of its own": element(0x04, embedded("1035000100000010610002000000")),
  "binary, subtype 2": element(0x05, "0600000002020000000102"),
  "binary, subtype 4": element(0x05, `1000000004${"ab".repeat(16)}`),
  "binary, subtype 4 of odd length": element(0x05, "0200000004abcd"),
  "binary, subtype 6": element(0x05, "0200000006abcd"),
  "binary, subtype 9": element(0x05, "020000000903ff"),
  "binary, subtype 128": element(0x05, "0000000080"),
  undefined: element(0x06, ""),
  ObjectId: element(0x07, "56e1fc72e0c917e9c4714161"),
  true: element(0x08, "01"),
  "date before 1970": element(0x09, "c33ce7b9bdffffff"),
  "date out of JavaScript's range": element(0x09, "ffffffffffffff7f"),
  null: element(0x0a, ""),
  "regular expression with unsorted options": element(0x0b, "612e6200786d6900"),
  DBPointer: element(0x0c, `${text("shop.c")}56e1fc72e0c917e9c4714161`),
  DBRef: element(0x03, embedded(`0224726566 00${text("c")}0724696400 56e1fc72e0c917e9c4714161`.replaceAll(" ", ""))),
  code: element(0x0d, text("function () {}")),
  symbol: element(0x0e, text("sym")),
  "code with scope": (() => {
    const inner = `${text("x")}${embedded("10610001000000")}`;
    const length = Buffer.alloc(4);
    length.writeInt32LE(4 + inner.length / 2, 0);
    return element(0x0f, length.toString("hex") + inner);
  })(),
  int32: element(0x10, "ffffffff"),
  timestamp: element(0x11, "15cd5b0700286bee"),
  int64: element(0x12, "0100000000000080"),
  "int64 that fits an int32": element(0x12, "0500000000000000"),
  Decimal128: element(0x13, "6e0000000000000000000000003c3030"),
  "Decimal128 that is not canonical": element(0x13, "000000000000000000000000000010ed"),
  MinKey: element(0xff, ""),
  MaxKey: element(0x7f, ""),
};
