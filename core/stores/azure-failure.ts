import { Failure } from "../domain/failure.ts";
import { failureOfConnection, failureOfStatus, withoutSecrets } from "./http-failure.ts";

interface ServiceError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly details?: { readonly errorCode?: string };
}

/** Azure's own code (`ContainerNotFound`, `InvalidBlockList`, …) of an error that a call threw. */
export const azureCode = (error: unknown): string | undefined => {
  const { code, details } = (error ?? {}) as ServiceError;
  return details?.errorCode ?? code;
};

export const isMissingBlob = (error: unknown): boolean =>
  (error as ServiceError | undefined)?.statusCode === 404 && azureCode(error) !== "ContainerBeingDeleted";

/** What an error of the SDK means. Its message is left out: it can repeat the string that was signed. */
export const failureOfAzure = (what: string, error: unknown): Failure => {
  if (error instanceof Failure) return error;
  const { statusCode } = (error ?? {}) as ServiceError;
  if (statusCode === undefined) return failureOfConnection(what, error);
  const code = azureCode(error) ?? "";
  const options = { cause: withoutSecrets(error) };
  if (/quota|capacity|InsufficientStorage/i.test(code)) return new Failure("StoreFull", `${what}: the account is full (${code})`, options);
  if (code === "ContainerNotFound") return new Failure("StoreUnreachable", `${what}: the container does not exist`, options);
  if (code === "ContainerBeingDeleted") return new Failure("StoreUnreachable", `${what}: the container is being deleted`, options);
  if (code === "BlobArchived" || code === "BlobBeingRehydrated") {
    const where = code === "BlobArchived" ? "lies in the archive tier" : "is on its way back from the archive tier";
    return new Failure("ObjectArchived", `${what}: the object ${where}, where nothing can be read`, options);
  }
  if (code === "InvalidRange")
    return new Failure("ObjectCorrupt", `${what}: the object ends before the bytes that were asked for`, options);
  if (code === "Md5Mismatch" || code === "InvalidBlockList") {
    return new Failure("StoreUnreachable", `${what}: the upload arrived damaged (${code})`, options);
  }
  return failureOfStatus(what, statusCode, code, error);
};
