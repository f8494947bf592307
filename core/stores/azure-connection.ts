import { BlobServiceClient, ContainerClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { entraToken } from "../config/entra-token.ts";
import { Failure, isFailure } from "../domain/failure.ts";

/** A few quick tries within one call; what lasts longer is the caller's to retry. */
const pipeline: StoragePipelineOptions = { retryOptions: { maxTries: 3, retryDelayInMs: 250, maxRetryDelayInMs: 2_000 } };

/**
 * The container that `connection` (a connection string, or a container's or account's URL with a SAS) and `container`
 * name; with `identity`, the URL has no SAS and access is by Microsoft Entra. Throws `ConfigurationInvalid`, without the secret, when they do not fit. Does no I/O.
 */
export const containerClient = (store: string, connection: string, container: string, identity = false): ContainerClient => {
  const invalid = (why: string): Failure => new Failure("ConfigurationInvalid", `store "${store}": the connection ${why}`);
  if (/^https?:\/\//.test(connection)) {
    const url = URL.parse(connection);
    if (url === null) throw invalid("is not a valid URL");
    if (url.username !== "" || url.password !== "") throw invalid("URL must not hold a password");
    const last = url.pathname.split("/").filter(Boolean).at(-1);
    if (last !== container) {
      // An account's URL has no path, except where the account itself is the first part of it (an emulator's).
      const isAccount = last === undefined || (isPathStyle(url) && url.pathname.split("/").filter(Boolean).length === 1);
      if (!isAccount) throw invalid(`URL is that of the container "${last}", and the configuration names "${container}"`);
      url.pathname = `${url.pathname.replace(/\/$/, "")}/${container}`;
    }
    if (!identity) return new ContainerClient(url.href, undefined, pipeline);
    if (url.search !== "") throw invalid("has a SAS, and `identity` says that access is by Microsoft Entra: leave one of them away");
    if (url.protocol !== "https:") throw invalid("must be an https URL, since tokens of Microsoft Entra are for nobody else to read");
    return new ContainerClient(url.href, entraCredential(store), pipeline);
  }
  if (identity) throw invalid("must be the account's or container's URL alone, since `identity` says that access is by Microsoft Entra");
  try {
    return BlobServiceClient.fromConnectionString(connection, pipeline).getContainerClient(container);
  } catch {
    // The library's message could repeat the string.
    throw invalid("is neither a connection string nor a container's URL with a SAS");
  }
};

/** The same for every cloud. */
const storageResource = "https://storage.azure.com";

const entraCredential = (store: string): Extract<ContainerClient["credential"], { getToken: unknown }> => ({
  getToken: async () => {
    try {
      const { value, expiresAt } = await entraToken(storageResource);
      return { token: value, expiresOnTimestamp: expiresAt };
    } catch (error) {
      if (!isFailure(error)) throw error;
      const type = isFailure(error, "KeyUnavailable") ? "StoreUnreachable" : "StoreRejected";
      throw new Failure(type, `store "${store}": ${error.message}`, { cause: error });
    }
  },
});

/** `http://127.0.0.1:10000/account/container`: the host does not name the account. */
const isPathStyle = (url: URL): boolean => /^[\d.]+$/.test(url.hostname) || url.hostname === "localhost" || url.hostname.startsWith("[");

/** The container's address without its SAS. */
export const containerAddress = (client: ContainerClient): string => {
  const url = new URL(client.url);
  return `${url.origin}${url.pathname}`;
};
