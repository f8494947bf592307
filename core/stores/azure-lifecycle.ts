import { askAzure, codeIn } from "../config/azure-request.ts";
import { entraToken } from "../config/entra-token.ts";
import { isFailure } from "../domain/failure.ts";
import type { LifecycleAction, LifecycleRule, StoreLifecycle } from "../domain/lifecycle-rules.ts";

/** "Management Policies - Get" of the Storage Resource Provider, as learn.microsoft.com/rest/api/storagerp/management-policies/get has it. */
const apiVersion = "2023-05-01";

/**
 * The lifecycle rules of the storage account with this resource id, as Azure Resource Manager tells them, asked with Microsoft Entra. Other
 * clouds than the public one are named by `AZURE_RESOURCE_MANAGER_ENDPOINT`. Never throws a `Failure`: what keeps it from knowing is its answer.
 */
export const readLifecycleRules = async (resourceId: string, container: string): Promise<StoreLifecycle> => {
  const endpoint = process.env.AZURE_RESOURCE_MANAGER_ENDPOINT ?? "https://management.azure.com";
  const url = new URL(`${resourceId}/managementPolicies/default?api-version=${apiVersion}`, endpoint);
  const what = `the lifecycle rules of ${resourceId.split("/").at(-1)}`;
  const unknown = (why: string): StoreLifecycle => ({ container, unknown: why });
  try {
    const token = await entraToken(new URL(endpoint).origin);
    const { status, body } = await askAzure(url, { headers: { authorization: `Bearer ${token.value}` } }, what);
    if (status === 401 || status === 403) {
      const permission = "Microsoft.Storage/storageAccounts/managementPolicies/read, as the role Reader has it";
      return unknown(`${what} cannot be read: HTTP ${status}${codeIn(body)}; it takes the permission ${permission}`);
    }
    // An account that has never had any answers so, and one that does not exist with another code.
    if (status === 404 && codeIn(body) === " (ManagementPolicyNotFound)") return { container, rules: [] };
    if (status !== 200) return unknown(`${what} are not to be had: HTTP ${status}${codeIn(body)}`);
    const rules = rulesIn(body);
    return rules === undefined ? unknown(`${what} came in a form that dbgov does not know`) : { container, rules };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return unknown(`${what} cannot be read: ${error.message}`);
  }
};

type Dict = Readonly<Record<string, unknown>>;
const dict = (value: unknown): Dict => (typeof value === "object" && value !== null ? (value as Dict) : {});
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);

/** Undefined for an answer without a list of rules: no rules and no answer are two things. */
const rulesIn = (body: unknown): LifecycleRule[] | undefined => {
  const { rules } = dict(dict(dict(body).properties).policy);
  if (!Array.isArray(rules)) return undefined;
  return rules.map(dict).map(({ name, enabled, definition }) => {
    const { filters, actions } = dict(definition);
    const { prefixMatch, blobTypes, blobIndexMatch } = dict(filters);
    return {
      name: typeof name === "string" ? name : "",
      // On by default.
      enabled: enabled !== false,
      prefixes: texts(prefixMatch),
      blobTypes: texts(blobTypes),
      tagged: Array.isArray(blobIndexMatch) && blobIndexMatch.length > 0,
      actions: (["baseBlob", "snapshot", "version"] as const).flatMap((on) => actionsIn(on, dict(dict(actions)[on]))),
    };
  });
};

const counted = [
  ["daysAfterModificationGreaterThan", "modification"],
  ["daysAfterCreationGreaterThan", "creation"],
  ["daysAfterLastAccessTimeGreaterThan", "last access"],
] as const;

/** Days after the last tier change only put off what the others say. An action without days that are known acts at once, for all that can be told. */
const actionsIn = (on: LifecycleAction["on"], actions: Dict): LifecycleAction[] =>
  Object.entries(actions)
    .filter(([, when]) => typeof when === "object" && when !== null)
    .map(([what, when]) => {
      const [field, after] = counted.find(([name]) => typeof dict(when)[name] === "number") ?? [undefined, "creation" as const];
      return { on, what, days: field === undefined ? 0 : Number(dict(when)[field]), after };
    });
