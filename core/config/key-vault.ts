import { Failure } from "../domain/failure.ts";
import { readAnswer } from "../stores/bounded-answer.ts";
import type { SecretRef } from "./fields.ts";
import { registerSecret } from "./redact.ts";

/**
 * Secrets of Azure Key Vault, by its REST API (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret). A vault cannot hold the
 * key itself: neither vaults nor managed HSMs offer Ed25519 (their curves are P-256, P-384, P-521 and P-256K), so it holds the seed.
 */
type VaultSecret = Extract<SecretRef, { keyVault: unknown }>["keyVault"];

const apiVersion = "7.4";
const timeoutMs = 15_000;
const largestAnswer = 65_536;

/** The secret's value. Throws `SecretMissing` when the vault has none or does not give it, `KeyUnavailable` when it does not answer. */
export const readVaultSecret = async ({ vault, secret, version }: VaultSecret): Promise<string> => {
  const address = new URL(vault);
  const where = `the secret ${secret} of the key vault ${address.host}`;
  const token = await accessToken(address);
  const url = new URL(`/secrets/${secret}${version === undefined ? "" : `/${version}`}?api-version=${apiVersion}`, address);
  const { status, body } = await ask(url, { headers: { authorization: `Bearer ${token}` } }, where);
  if (status === 429 || status >= 500) throw new Failure("KeyUnavailable", `${where}: the vault answers HTTP ${status}`);
  const value = (body as { value?: unknown } | undefined)?.value;
  if (status !== 200) throw new Failure("SecretMissing", `${where} is not given out: HTTP ${status}${codeIn(body)}`);
  if (typeof value !== "string" || value.trim() === "") throw new Failure("SecretMissing", `${where} is empty`);
  return value;
};

interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

const tokens = new Map<string, Token>();
/** A token that ends sooner is not used any more. */
const marginMs = 120_000;

/**
 * A token of Microsoft Entra: of the service principal that `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` name, as for Azure's own libraries, or
 * else of the machine's managed identity. Kept until shortly before it expires.
 */
const accessToken = async (vault: URL): Promise<string> => {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client = "", AZURE_CLIENT_SECRET: secret } = process.env;
  const scope = resourceOf(vault);
  const name = JSON.stringify([tenant, client, scope]);
  const kept = tokens.get(name);
  if (kept !== undefined && kept.expiresAt > Date.now() + marginMs) return kept.value;
  const fresh =
    tenant !== undefined && secret !== undefined ? await ofPrincipal(tenant, client, secret, scope) : await ofMachine(client, scope);
  tokens.set(name, fresh);
  return fresh.value;
};

/** `https://vault.azure.net` for `https://acme.vault.azure.net`; the clouds of other countries have their own. */
const resourceOf = ({ hostname }: URL): string => {
  const known = /\.(vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)|managedhsm\.azure\.net)$/.exec(hostname)?.[1];
  return `https://${known ?? "vault.azure.net"}`;
};

const ofPrincipal = async (tenant: string, client: string, secret: string, scope: string): Promise<Token> => {
  registerSecret(secret);
  const authority = process.env.AZURE_AUTHORITY_HOST ?? "https://login.microsoftonline.com";
  const url = new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority);
  const form = { grant_type: "client_credentials", client_id: client, client_secret: secret, scope: `${scope}/.default` };
  return tokenIn(await ask(url, { method: "POST", body: new URLSearchParams(form) }, `a token of ${url.host}`), `a token of ${url.host}`);
};

const ofMachine = async (client: string, scope: string): Promise<Token> => {
  const host = process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? "http://169.254.169.254";
  const url = new URL("/metadata/identity/oauth2/token", host);
  url.search = String(
    new URLSearchParams({ "api-version": "2018-02-01", resource: scope, ...(client === "" ? {} : { client_id: client }) }),
  );
  const what = "a token of this machine's managed identity";
  return tokenIn(await ask(url, { headers: { metadata: "true" } }, what), what);
};

const tokenIn = ({ status, body }: Answer, what: string): Token => {
  const { access_token: value, expires_in: seconds } = (body ?? {}) as { access_token?: unknown; expires_in?: unknown };
  if (status === 429 || status >= 500) throw new Failure("KeyUnavailable", `${what} is not to be had: HTTP ${status}`);
  if (status !== 200 || typeof value !== "string") throw new Failure("SecretMissing", `${what} is refused: HTTP ${status}${codeIn(body)}`);
  registerSecret(value);
  return { value, expiresAt: Date.now() + (Number(seconds) || 0) * 1000 };
};

/** Of what an error says only its code: descriptions name principals. */
const codeIn = (body: unknown): string => {
  const { error } = (body ?? {}) as { error?: unknown };
  const code = typeof error === "string" ? error : (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? ` (${code.slice(0, 60)})` : "";
};

interface Answer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
}

const ask = async (url: URL, init: RequestInit, what: string): Promise<Answer> => {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    text = new TextDecoder().decode(await readAnswer(response, largestAnswer));
  } catch (cause) {
    throw new Failure("KeyUnavailable", `${what}: ${url.host} gives no answer`, { cause });
  }
  try {
    return { status, body: JSON.parse(text) as unknown };
  } catch {
    return { status, body: undefined };
  }
};
