import type { IncomingMessage } from "node:http";
import { memberOf } from "../../core/databases/cosmos/json-text.ts";
import type { StubContainer } from "./cosmos-stub-state.ts";

/** What the stub answers to one request. */
export interface Answer {
  readonly status: number;
  readonly body?: Buffer | object;
  readonly headers?: Record<string, string>;
}

export const list = (member: string, items: readonly (Buffer | object)[], headers?: Record<string, string>): Answer => {
  const texts = items.map((item) => (Buffer.isBuffer(item) ? item.toString() : JSON.stringify(item)));
  // With the space that a server may put between tokens.
  return {
    status: 200,
    body: Buffer.from(`{"_rid":"x", "${member}": [${texts.join(", ")}],\n"_count":${items.length}}`),
    ...(headers === undefined ? {} : { headers }),
  };
};

const gone: Answer = { status: 410, body: { message: "The requested partition key range is gone" }, headers: { "x-ms-substatus": "1002" } };

/** The two counts that dbgov asks for; there is no query language here. */
export function countDocuments(container: StubContainer, headers: IncomingMessage["headers"], body: Buffer): Answer {
  const { query } = JSON.parse(body.toString()) as { query: string };
  const match = /^SELECT VALUE COUNT\(1\) FROM c(?: WHERE c\._ts >= (\d+))?$/.exec(query);
  if (match === null) return { status: 400, body: { message: `the stub knows no ${query}` } };
  const since = Number(match[1] ?? 0);
  const found = inRange(container, headers);
  if (found === undefined) return gone;
  return list("Documents", [Buffer.from(String(found.filter(({ text }) => Number(memberOf(text, "_ts")) >= since).length))]);
}

export function readFeed(container: StubContainer, headers: IncomingMessage["headers"]): Answer {
  const size = Number(headers["x-ms-max-item-count"] ?? 100);
  const found = inRange(container, headers);
  if (found === undefined) return gone;
  if (headers["a-im"] === undefined) {
    const behind = Number(headers["x-ms-continuation"] ?? 0);
    const rest = found.filter(({ created }) => created > behind).sort((a, b) => a.created - b.created);
    const page = rest.slice(0, size);
    const more = page.length < rest.length ? { "x-ms-continuation": String(page.at(-1)!.created) } : {};
    return list(
      "Documents",
      page.map(({ text }) => text),
      more,
    );
  }
  const position = headers["if-none-match"];
  const after = position === "*" ? container.lsn : position === undefined ? 0 : Number(position.replaceAll('"', ""));
  const changed = found
    .filter(({ lsn }) => lsn > after)
    .sort((a, b) => a.lsn - b.lsn)
    .slice(0, size);
  const etag = `"${changed.at(-1)?.lsn ?? Math.max(after, 0)}"`;
  const session = { "x-ms-session-token": `${String(headers["x-ms-documentdb-partitionkeyrangeid"])}:-1#${container.lsn}` };
  return changed.length === 0
    ? { status: 304, headers: { etag, ...session } }
    : list(
        "Documents",
        changed.map(({ text }) => text),
        { etag, ...session },
      );
}

function inRange(container: StubContainer, headers: IncomingMessage["headers"]) {
  const range = headers["x-ms-documentdb-partitionkeyrangeid"];
  if (range === undefined) return [...container.documents.values()];
  if (!container.ranges.some(({ id }) => String(id) === range)) return undefined;
  return [...container.documents.values()].filter((document) => String(document.range) === range);
}
