import type { Reply } from "./exchange.ts";
import { compact, elementsOf, memberOf } from "./json-text.ts";

/** A page of a feed: the texts of its items, compact, and what the reply said beside them. */
export interface Page {
  readonly items: readonly Buffer[];
  readonly reply: Reply;
}

/**
 * All pages of a feed, one after another. `send` sends the request with these headers added; `size` says how many items
 * the next page should have at most.
 */
export async function* pagesOf(
  member: string,
  send: (headers: Record<string, string>) => Promise<Reply>,
  size: () => number = () => 100,
): AsyncGenerator<Page, void> {
  let continuation: string | null = null;
  do {
    const reply: Reply = await send({
      "x-ms-max-item-count": String(size()),
      ...(continuation === null ? {} : { "x-ms-continuation": continuation }),
    });
    yield { items: itemsOf(reply.body, member), reply };
    continuation = reply.headers.get("x-ms-continuation");
  } while (continuation !== null && continuation !== "");
}

export function itemsOf(body: Buffer, member: string): Buffer[] {
  const items = memberOf(compact(body), member);
  if (items === undefined) throw new SyntaxError(`the reply has no ${member}`);
  return elementsOf(items);
}
