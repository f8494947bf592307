import type { Site } from "./site.ts";

/** How a connection to Temporal is protected, as both of its clients take it. */
export interface ConnectionSecurity {
  readonly tls: boolean;
  readonly apiKey?: string;
}

export const connectionSecurity = async (site: Site): Promise<ConnectionSecurity> => {
  const { tls, apiKey } = site.loaded.config.temporal;
  return { tls, ...(apiKey === undefined ? {} : { apiKey: await site.secret(apiKey) }) };
};
