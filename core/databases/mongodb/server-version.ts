import type { Connection } from "./connection.ts";

/** What the server calls its version, as `8.0.4`. */
export async function serverVersion(connection: Connection): Promise<string> {
  const { version } = await connection.run({ buildInfo: 1 });
  return String(version);
}
