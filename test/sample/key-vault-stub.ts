import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A stub of what dbgov asks of Azure, written from the documentation of the REST API: a token of Microsoft Entra for a service principal or for a machine's managed
 * identity, and Get Secret of Key Vault. It is no Key Vault: it knows no access policies but one principal, no networks, and no throttling but `busy`.
 */
export interface KeyVaultStub {
  readonly url: string;
  /** By name, and by name and version as `name/version`. */
  readonly secrets: Map<string, string>;
  /** How many tokens it has given out. */
  tokens(): number;
  /** The next so many requests for secrets are answered by 429. */
  busy(times: number): void;
  close(): Promise<void>;
}

export const principal = {
  tenant: "contoso-tenant",
  client: "11111111-2222-3333-4444-555555555555",
  secret: "principal-secret-of-the-stub",
};

export const startKeyVaultStub = async (): Promise<KeyVaultStub> => {
  const secrets = new Map<string, string>();
  const given = new Set<string>();
  let refusals = 0;
  const answer = (response: ServerResponse, status: number, body: unknown): ServerResponse =>
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
  const grant = (response: ServerResponse): ServerResponse => {
    const access_token = `stub-token-${given.size}-0123456789abcdef`;
    given.add(access_token);
    return answer(response, 200, { token_type: "Bearer", expires_in: 3599, access_token });
  };
  const getSecret = (request: IncomingMessage, response: ServerResponse, url: URL): ServerResponse => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined || !given.has(token)) {
      response.setHeader(
        "www-authenticate",
        'Bearer authorization="https://login.microsoftonline.com/contoso-tenant", resource="https://vault.azure.net"',
      );
      return answer(response, 401, { error: { code: "Unauthorized", message: "Request is missing a Bearer or PoP token." } });
    }
    if (refusals > 0) {
      refusals -= 1;
      return answer(response, 429, {
        error: { code: "Throttled", message: "Request was not processed because too many requests were received." },
      });
    }
    if (!url.searchParams.has("api-version"))
      return answer(response, 400, { error: { code: "BadParameter", message: "api-version must be specified" } });
    const name = url.pathname.slice("/secrets/".length);
    const value = secrets.get(name);
    if (name.startsWith("forbidden"))
      return answer(response, 403, { error: { code: "Forbidden", message: "Caller is not authorized to perform action on resource." } });
    if (value === undefined)
      return answer(response, 404, {
        error: { code: "SecretNotFound", message: `A secret with (name/id) ${name} was not found in this key vault.` },
      });
    return answer(response, 200, {
      value,
      id: `https://stub.vault.azure.net/secrets/${name}`,
      attributes: { enabled: true, recoveryLevel: "Recoverable+Purgeable" },
    });
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> => {
    const url = new URL(request.url ?? "/", "http://stub");
    if (request.method === "POST" && url.pathname === `/${principal.tenant}/oauth2/v2.0/token`) {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const right = form.get("client_id") === principal.client && form.get("client_secret") === principal.secret;
      const asked = form.get("grant_type") === "client_credentials" && form.get("scope") === "https://vault.azure.net/.default";
      return right && asked
        ? grant(response)
        : answer(response, 401, { error: "invalid_client", error_description: "AADSTS7000215: Invalid client secret provided." });
    }
    if (url.pathname === "/metadata/identity/oauth2/token") {
      const asked =
        request.headers.metadata === "true" &&
        url.searchParams.get("resource") === "https://vault.azure.net" &&
        url.searchParams.has("api-version");
      return asked
        ? grant(response)
        : answer(response, 400, { error: "invalid_request", error_description: "Required metadata header not specified" });
    }
    if (request.method === "GET" && url.pathname.startsWith("/secrets/")) return getSecret(request, response, url);
    return answer(response, 404, { error: { code: "NotFound", message: "no such path" } });
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets,
    tokens: () => given.size,
    busy: (times) => {
      refusals = times;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
