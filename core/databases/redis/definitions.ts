import type { Connection, Reply } from "./connection.ts";
import { isRefusal } from "./failures.ts";

/** What the server has beside keys, as the snapshot keeps it: JSON, bytes as base64. */
export interface Definitions {
  /** Libraries of functions, by name; null when the user may not read them or the server knows none. */
  readonly functions: readonly { readonly name: string; readonly code: string }[] | null;
  /** Rules as `ACL LIST` gives them, password hashes included; null when the user may not read them. */
  readonly users: readonly string[] | null;
}

export const readDefinitions = async (connection: Connection): Promise<Uint8Array> => {
  const libraries = await unlessRefused(() => connection.call("FUNCTION", "LIST", "WITHCODE"));
  const users = await unlessRefused(() => connection.call("ACL", "LIST"));
  const definitions: Definitions = {
    functions: libraries === null ? null : (libraries as readonly Reply[]).map(libraryOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
    users: users === null ? null : (users as readonly Reply[]).map(String).sort(),
  };
  return Buffer.from(JSON.stringify(definitions), "utf8");
};

export const parseDefinitions = (content: Uint8Array): Definitions => JSON.parse(Buffer.from(content).toString("utf8")) as Definitions;

const libraryOf = (reply: Reply): { name: string; code: string } => {
  const list = reply as readonly Reply[];
  const field = (name: string): Buffer => list[list.findIndex((item) => String(item) === name) + 1] as Buffer;
  return { name: String(field("library_name")), code: field("library_code").toString("base64") };
};

const unlessRefused = async (work: () => Promise<Reply>): Promise<Reply> => {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
};
