import { Failure } from "../domain/failure.ts";
import { askAzure, codeIn } from "./azure-request.ts";
import { entraToken } from "./entra-token.ts";
import type { SecretRef } from "./fields.ts";

/**
 * Secrets of Azure Key Vault, by its REST API (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret). A vault cannot hold the
 * key itself: neither vaults nor managed HSMs offer Ed25519 (their curves are P-256, P-384, P-521 and P-256K), so it holds the seed.
 */
type VaultSecret = Extract<SecretRef, { keyVault: unknown }>["keyVault"];

const apiVersion = "7.4";

/** The secret's value. Throws `SecretMissing` when the vault has none or does not give it, `KeyUnavailable` when it does not answer. */
export const readVaultSecret = async ({ vault, secret, version }: VaultSecret): Promise<string> => {
  const address = new URL(vault);
  const where = `the secret ${secret} of the key vault ${address.host}`;
  const { value: token } = await entraToken(resourceOf(address));
  const url = new URL(`/secrets/${secret}${version === undefined ? "" : `/${version}`}?api-version=${apiVersion}`, address);
  const { status, body } = await askAzure(url, { headers: { authorization: `Bearer ${token}` } }, where);
  if (status === 429 || status >= 500) throw new Failure("KeyUnavailable", `${where}: the vault answers HTTP ${status}`);
  const value = (body as { value?: unknown } | undefined)?.value;
  if (status !== 200) throw new Failure("SecretMissing", `${where} is not given out: HTTP ${status}${codeIn(body)}`);
  if (typeof value !== "string" || value.trim() === "") throw new Failure("SecretMissing", `${where} is empty`);
  return value;
};

/** `https://vault.azure.net` for `https://acme.vault.azure.net`; the clouds of other countries have their own. */
const resourceOf = ({ hostname }: URL): string => {
  const known = /\.(vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)|managedhsm\.azure\.net)$/.exec(hostname)?.[1];
  return `https://${known ?? "vault.azure.net"}`;
};
