import type { Connection } from "./connection.ts";

/** What the server calls its version, as `8.0.4`. */
export async function serverVersion({ db }: Connection): Promise<string> {
  const { version } = await db.command({ buildInfo: 1 });
  return String(version);
}
