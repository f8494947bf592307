import { Failure } from "../domain/failure.ts";
import { type AzureAnswer, askAzure, codeIn } from "./azure-request.ts";
import { registerSecret } from "./redact.ts";

export interface EntraToken {
  readonly value: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

const tokens = new Map<string, EntraToken>();
/** A token that ends sooner is not used any more. */
const marginMs = 120_000;

/**
 * A token of Microsoft Entra for the service `resource` (`https://storage.azure.com`): of the service principal that `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
 * `AZURE_CLIENT_SECRET` name, as for Azure's own libraries, or else of the machine's managed identity. Kept until shortly before it expires.
 * `KeyUnavailable` when nobody answers, `SecretMissing` when it is refused.
 */
export const entraToken = async (resource: string): Promise<EntraToken> => {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client = "", AZURE_CLIENT_SECRET: secret } = process.env;
  const name = JSON.stringify([tenant, client, resource]);
  const kept = tokens.get(name);
  if (kept !== undefined && kept.expiresAt > Date.now() + marginMs) return kept;
  const fresh =
    tenant !== undefined && secret !== undefined ? await ofPrincipal(tenant, client, secret, resource) : await ofMachine(client, resource);
  tokens.set(name, fresh);
  return fresh;
};

const ofPrincipal = async (tenant: string, client: string, secret: string, scope: string): Promise<EntraToken> => {
  registerSecret(secret);
  const authority = process.env.AZURE_AUTHORITY_HOST ?? "https://login.microsoftonline.com";
  const url = new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority);
  const form = { grant_type: "client_credentials", client_id: client, client_secret: secret, scope: `${scope}/.default` };
  return tokenIn(
    await askAzure(url, { method: "POST", body: new URLSearchParams(form) }, `a token of ${url.host}`),
    `a token of ${url.host}`,
  );
};

const ofMachine = async (client: string, scope: string): Promise<EntraToken> => {
  const host = process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? "http://169.254.169.254";
  const url = new URL("/metadata/identity/oauth2/token", host);
  url.search = String(
    new URLSearchParams({ "api-version": "2018-02-01", resource: scope, ...(client === "" ? {} : { client_id: client }) }),
  );
  const what = "a token of this machine's managed identity";
  return tokenIn(await askAzure(url, { headers: { metadata: "true" } }, what), what);
};

const tokenIn = ({ status, body }: AzureAnswer, what: string): EntraToken => {
  const { access_token: value, expires_in: seconds } = (body ?? {}) as { access_token?: unknown; expires_in?: unknown };
  if (status === 429 || status >= 500) throw new Failure("KeyUnavailable", `${what} is not to be had: HTTP ${status}`);
  if (status !== 200 || typeof value !== "string") throw new Failure("SecretMissing", `${what} is refused: HTTP ${status}${codeIn(body)}`);
  registerSecret(value);
  return { value, expiresAt: Date.now() + (Number(seconds) || 0) * 1000 };
};
