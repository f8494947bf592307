import { createServer } from "node:http";
import { type BadServer, listen } from "./store-servers.ts";

/**
 * A stub of Azure Resource Manager and of the machine's managed identity, written from their REST specifications (learn.microsoft.com, "Management
 * Policies - Get" and "How to use managed identities on an Azure VM to acquire a token"): one storage account with lifecycle rules. It checks
 * path, api-version and token, and is no evidence of how the service behaves where these are silent.
 */
export interface ResourceManagerStub extends BadServer {
  readonly resourceId: string;
  /** What the account answers with: its rules, undefined for one that never had any, or an error's status and code. */
  answer: { rules: readonly object[] } | { status: number; code: string } | undefined;
}

export const resourceManagerStub = async (): Promise<ResourceManagerStub> => {
  const resourceId =
    "/subscriptions/0f1e2d3c-0000-4000-8000-000000000001/resourceGroups/backups/providers/Microsoft.Storage/storageAccounts/dbgov";
  const policy = `${resourceId}/managementPolicies/default`;
  const state: { answer: ResourceManagerStub["answer"] } = { answer: undefined };
  const errorOf = (code: string, message = code) => ({ error: { code, message } });
  const reply = (url: URL, authorization: string | undefined): [number, object] => {
    if (url.pathname === "/metadata/identity/oauth2/token")
      return url.searchParams.get("resource") === url.origin
        ? [200, { access_token: `token for ${url.origin}`, expires_in: "3599", token_type: "Bearer" }]
        : [400, { error: "invalid_resource" }];
    if (url.pathname !== policy) return [404, errorOf("ResourceNotFound")];
    if (!/^\d{4}-\d\d-\d\d$/.test(url.searchParams.get("api-version") ?? "")) return [400, errorOf("MissingApiVersionParameter")];
    if (authorization !== `Bearer token for ${url.origin}`) return [401, errorOf("AuthenticationFailed")];
    const { answer } = state;
    if (answer === undefined) return [404, errorOf("ManagementPolicyNotFound", "No ManagementPolicy found for account dbgov")];
    if ("status" in answer) return [answer.status, errorOf(answer.code)];
    return [200, { id: policy, name: "DefaultManagementPolicy", properties: { policy: answer } }];
  };
  const server = await listen(
    createServer((request, response) => {
      const [status, body] = reply(new URL(request.url ?? "", `http://${request.headers.host}`), request.headers.authorization);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    }),
  );
  return Object.defineProperty({ ...server, resourceId } as ResourceManagerStub, "answer", {
    set: (answer: ResourceManagerStub["answer"]) => {
      state.answer = answer;
    },
  });
};
