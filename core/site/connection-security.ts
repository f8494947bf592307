import { readKeyFile } from "./key-file.ts";
import type { Site } from "./site.ts";

/** How a connection to Temporal is protected, as both of its clients take it. */
export interface ConnectionSecurity {
  readonly tls:
    | boolean
    | {
        readonly serverNameOverride?: string;
        readonly serverRootCACertificate?: Uint8Array;
        readonly clientCertPair?: { readonly crt: Uint8Array; readonly key: Uint8Array };
      };
  readonly apiKey?: string;
}

/** Throws `ConfigurationInvalid` for a certificate file that cannot be read, and what `Site.secret` throws. */
export const connectionSecurity = async (site: Site): Promise<ConnectionSecurity> => {
  const { loaded } = site;
  const { tls, authority, serverName, certificate, privateKey, apiKey } = loaded.config.temporal;
  const pem = async (path: string): Promise<Uint8Array> => Buffer.from(await readKeyFile(path, loaded.folder, "certificate file"));
  if (!tls) return { tls };
  return {
    tls: {
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      ...(authority === undefined ? {} : { serverRootCACertificate: await pem(authority) }),
      ...(certificate === undefined || privateKey === undefined
        ? {}
        : { clientCertPair: { crt: await pem(certificate), key: Buffer.from(await site.secret(privateKey)) } }),
    },
    ...(apiKey === undefined ? {} : { apiKey: await site.secret(apiKey) }),
  };
};
