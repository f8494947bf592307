import { createHmac } from "node:crypto";

/**
 * The `Authorization` header of a request that is signed with an account's key, as "Access control in the Azure Cosmos DB
 * SQL API" of the REST reference has it. `resourceLink` names things by their ids, not percent-encoded; `date` is what
 * `x-ms-date` says, as `Date.toUTCString` writes it.
 */
export function authorization(request: {
  readonly method: string;
  readonly resourceType: string;
  readonly resourceLink: string;
  readonly date: string;
  readonly key: string;
}): string {
  const { method, resourceType, resourceLink, date, key } = request;
  const text = `${method.toLowerCase()}\n${resourceType}\n${resourceLink}\n${date.toLowerCase()}\n\n`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
  return encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
}
