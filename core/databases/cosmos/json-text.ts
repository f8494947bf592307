/**
 * JSON taken apart as text: what a server sent is kept as it was sent, digits, order and escapes included, where
 * `JSON.parse` would round 9007199254740993, turn 1.0 into 1 and move keys that look like numbers.
 */

/** A member of an object: its name, and the text of its name and of its value. */
export interface Member {
  readonly name: string;
  readonly key: Buffer;
  readonly value: Buffer;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a] as const;
const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d] as const;

const broken = (): SyntaxError => new SyntaxError("the text is no JSON");
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The text without the space between its tokens; the very same buffer where there is none. */
export function compact(text: Buffer): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const byte = text[at]!;
    if (byte === quote) at = endOfString(text, at);
    else if (!isSpace(byte)) at++;
    else {
      kept.push(text.subarray(from, at));
      while (at < text.length && isSpace(text[at]!)) at++;
      from = at;
    }
  }
  return kept.length === 0 ? text : Buffer.concat([...kept, text.subarray(from)]);
}

/** The members of an object, in their order. The text must be compact. */
export function membersOf(object: Buffer): Member[] {
  const members: Member[] = [];
  let at = opened(object, openObject);
  while (object[at] !== closeObject) {
    if (object[at] !== quote) throw broken();
    const afterKey = endOfString(object, at);
    if (object[afterKey] !== colon) throw broken();
    const end = endOfValue(object, afterKey + 1);
    const key = object.subarray(at, afterKey);
    members.push({ name: JSON.parse(key.toString("utf8")) as string, key, value: object.subarray(afterKey + 1, end) });
    at = next(object, end, closeObject);
  }
  return members;
}

/** The value of the first member of that name. */
export const memberOf = (object: Buffer, name: string): Buffer | undefined =>
  membersOf(object).find((member) => member.name === name)?.value;

/** The elements of an array. The text must be compact. */
export function elementsOf(array: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  let at = opened(array, openArray);
  while (array[at] !== closeArray) {
    const end = endOfValue(array, at);
    elements.push(array.subarray(at, end));
    at = next(array, end, closeArray);
  }
  return elements;
}

/** An object of these members, each as it was. */
export function objectOf(members: readonly Pick<Member, "key" | "value">[]): Buffer {
  const pieces = members.flatMap(({ key, value }, index) => [Buffer.from(index === 0 ? "" : ","), key, Buffer.from(":"), value]);
  return Buffer.concat([Buffer.from("{"), ...pieces, Buffer.from("}")]);
}

export const isObject = (value: Buffer): boolean => value[0] === openObject;

function opened(text: Buffer, bracket: number): number {
  if (text[0] !== bracket) throw broken();
  return 1;
}

/** Where the next item begins, or the closing bracket stands. */
function next(text: Buffer, at: number, close: number): number {
  if (text[at] === close) return at;
  if (text[at] !== comma || text[at + 1] === close) throw broken();
  return at + 1;
}

function endOfString(text: Buffer, from: number): number {
  for (let at = text.indexOf(quote, from + 1); at >= 0; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  throw broken();
}

function endOfValue(text: Buffer, from: number): number {
  if (text[from] === quote) return endOfString(text, from);
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const byte = text[at]!;
    if (byte === quote) {
      at = endOfString(text, at);
      continue;
    }
    if (byte === openObject || byte === openArray) depth++;
    else if (byte === closeObject || byte === closeArray) {
      if (depth === 0) return ended(from, at);
      depth--;
      if (depth === 0) return at + 1;
    } else if (byte === comma && depth === 0) return ended(from, at);
    at++;
  }
  if (depth > 0) throw broken();
  return ended(from, text.length);
}

function ended(from: number, at: number): number {
  if (at === from) throw broken();
  return at;
}
