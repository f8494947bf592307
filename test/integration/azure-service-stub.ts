import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type BadServer, listen, wholeOf } from "./store-servers.ts";

/**
 * A stub of Azure Blob Storage, written from its REST specification (learn.microsoft.com/rest/api/storageservices) for what Azurite, the
 * emulator, does not have: versions, immutability policies of a version, legal holds, soft delete, a rehydration from the archive tier that takes its
 * time (it ends when a test says so). It is no evidence of how the service behaves where
 * the specification is silent, checks no signature, and has one container. Of its quirks it has these: a deletion without a version is
 * allowed on a locked blob and only hides it, the current version cannot be deleted by its own name, dates have whole seconds; a blob that comes
 * back from the archive tier keeps that tier's name, and a changed tier leaves the ETag as it is. That an archived blob is not overwritten is as Azurite has it.
 */
export interface AzureStub extends BadServer {
  readonly connection: string;
  readonly versions: Version[];
  /** Every rehydration that was asked for is done: the blobs are in the tier that was named. Returns how many. */
  rehydrated(): number;
}

interface Version {
  readonly key: string;
  readonly id: string;
  readonly bytes: Buffer;
  md5: string | undefined;
  tier: string;
  /** The tier that it comes back to, and how fast. */
  coming?: { to: string; priority: string } | undefined;
  etag: string;
  current: boolean;
  deleted: boolean;
  until?: Date;
  mode?: string;
  held?: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

const refusal = (status: number, code: string): Answer => ({
  status,
  headers: { "x-ms-error-code": code, "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
});

const isProtected = ({ until, held }: Version): string | undefined => {
  if (held === true) return "BlobImmutableDueToLegalHold";
  return until !== undefined && until > new Date() ? "BlobImmutableDueToPolicy" : undefined;
};

const headersOf = (version: Version): Record<string, string> => ({
  etag: `"${version.etag}"`,
  "last-modified": new Date().toUTCString(),
  "x-ms-blob-type": "BlockBlob",
  "x-ms-version-id": version.id,
  "x-ms-is-current-version": String(version.current),
  "x-ms-access-tier": version.tier,
  ...(version.md5 !== undefined && { "content-md5": version.md5 }),
  ...(version.coming && {
    "x-ms-archive-status": `rehydrate-pending-to-${version.coming.to.toLowerCase()}`,
    "x-ms-rehydrate-priority": version.coming.priority,
  }),
  ...(version.until && { "x-ms-immutability-policy-until-date": version.until.toUTCString() }),
  ...(version.mode && { "x-ms-immutability-policy-mode": version.mode }),
  ...(version.held !== undefined && { "x-ms-legal-hold": String(version.held) }),
});

const listed = (version: Version, softDeleteDays: number): string =>
  [
    `<Blob><Name>${version.key}</Name>${version.deleted ? "<Deleted>true</Deleted>" : ""}`,
    `<VersionId>${version.id}</VersionId>${version.current ? "<IsCurrentVersion>true</IsCurrentVersion>" : ""}<Properties>`,
    `<Content-Length>${version.bytes.length}</Content-Length><Etag>${version.etag}</Etag><BlobType>BlockBlob</BlobType>`,
    version.until ? `<ImmutabilityPolicyUntilDate>${version.until.toUTCString()}</ImmutabilityPolicyUntilDate>` : "",
    version.mode ? `<ImmutabilityPolicyMode>${version.mode}</ImmutabilityPolicyMode>` : "",
    version.held === undefined ? "" : `<LegalHold>${version.held}</LegalHold>`,
    version.deleted ? `<RemainingRetentionDays>${softDeleteDays - 1}</RemainingRetentionDays>` : "",
    "</Properties></Blob>",
  ].join("");

const tiers = ["Hot", "Cool", "Cold", "Archive"];

/** A new tier is had at once, but for what lies in the archive: that is answered with 202, and comes later. */
const setTier = (version: Version, tier: string, priority: string): Answer => {
  if (!tiers.includes(tier)) return refusal(400, "InvalidHeaderValue");
  if (version.coming !== undefined) {
    const faster = version.coming.to === tier && version.coming.priority === "Standard" && priority === "High";
    if (!faster) return refusal(409, "BlobBeingRehydrated");
    version.coming.priority = priority;
    return { status: 202 };
  }
  if (version.tier !== "Archive" || tier === "Archive") {
    version.tier = tier;
    return { status: 200 };
  }
  version.coming = { to: tier, priority };
  return { status: 202 };
};

export const azureStub = async ({ softDeleteDays = 0, immutable = true } = {}): Promise<AzureStub> => {
  const versions: Version[] = [];
  let last = 0;

  const remove = (version: Version): void => {
    if (softDeleteDays > 0) version.deleted = true;
    else versions.splice(versions.indexOf(version), 1);
  };

  const answer = (incoming: IncomingMessage, body: Buffer): Answer => {
    const { method = "", headers, url: path = "" } = incoming;
    const url = new URL(path, "http://stub");
    const [, , , ...parts] = url.pathname.split("/");
    const key = decodeURIComponent(parts.join("/"));
    const ask = (name: string): string => url.searchParams.get(name) ?? "";
    if (ask("comp") === "list") {
      const include = ask("include").split(",");
      const found = versions.filter(
        (version) =>
          version.key.startsWith(ask("prefix")) &&
          (version.current || include.includes("versions")) &&
          (!version.deleted || include.includes("deleted")),
      );
      const blobs = found.map((version) => listed(version, softDeleteDays)).join("");
      const xml = `<?xml version="1.0"?><EnumerationResults><Blobs>${blobs}</Blobs><NextMarker/></EnumerationResults>`;
      return { status: 200, headers: { "content-type": "application/xml" }, body: xml };
    }
    if (ask("restype") === "container") return { status: 201 };
    const live = versions.filter((version) => version.key === key && !version.deleted);
    const named = ask("versionid");
    const version = live.find(({ id, current }) => (named === "" ? current : id === named));
    if (method === "PUT" && ask("comp") === "") {
      const tier = String(headers["x-ms-access-tier"] ?? "Hot");
      if (!tiers.includes(tier)) return refusal(400, "InvalidHeaderValue");
      if (version?.tier === "Archive") return refusal(409, "BlobArchived");
      for (const other of live) other.current = false;
      last += 1;
      const id = new Date(Date.UTC(2026, 0, 1) + last).toISOString().replace("Z", "0000Z");
      const md5 = headers["x-ms-blob-content-md5"] as string | undefined;
      const written = { key, id, bytes: body, tier, md5, etag: randomBytes(8).toString("hex"), current: true, deleted: false };
      versions.push(written);
      return { status: 201, headers: headersOf(written) };
    }
    if (version === undefined) return refusal(404, "BlobNotFound");
    if (ask("comp") === "tier")
      return setTier(version, String(headers["x-ms-access-tier"]), String(headers["x-ms-rehydrate-priority"] ?? "Standard"));
    if (ask("comp") === "immutabilityPolicies") {
      if (!immutable) return refusal(409, "BlobOperationNotSupported");
      const until = new Date(String(headers["x-ms-immutability-policy-until-date"]));
      const mode = String(headers["x-ms-immutability-policy-mode"]).toLowerCase();
      const shorter = version.until !== undefined && until < version.until;
      if (version.mode === "locked" && (shorter || mode !== "locked")) return refusal(409, "BlobImmutableDueToPolicy");
      Object.assign(version, { until, mode });
      return { status: 200, headers: headersOf(version) };
    }
    if (ask("comp") === "legalhold") {
      if (!immutable) return refusal(409, "BlobOperationNotSupported");
      version.held = headers["x-ms-legal-hold"] === "true";
      return { status: 200, headers: headersOf(version) };
    }
    if (method === "DELETE") {
      if (named !== "" && version.current) return refusal(403, "OperationNotAllowedOnRootBlob");
      const protection = named === "" ? undefined : isProtected(version);
      if (protection !== undefined) return refusal(409, protection);
      if (named === "") version.current = false;
      else remove(version);
      return { status: 202 };
    }
    if (method === "GET" && version.tier === "Archive") return refusal(409, "BlobArchived");
    const [from, to] = /bytes=(\d+)-(\d*)/.exec(String(headers["x-ms-range"] ?? headers.range))?.slice(1) ?? [];
    const whole = version.bytes;
    if (from === undefined) return { status: 200, headers: headersOf(version), body: whole };
    const part = whole.subarray(Number(from), to ? Number(to) + 1 : whole.length);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${whole.length}`;
    return { status: 206, headers: { ...headersOf(version), "content-range": range }, body: part };
  };

  const reply = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, headers, body = "" } = answer(incoming, await wholeOf(incoming));
    response.writeHead(status, { "x-ms-version": "2026-02-06", ...headers, "content-length": String(Buffer.byteLength(body)) });
    response.end(incoming.method === "HEAD" ? undefined : body);
  };
  const server = await listen(createServer((incoming, response) => void reply(incoming, response)));
  const connection = `DefaultEndpointsProtocol=http;AccountName=stub;AccountKey=${randomBytes(32).toString("base64")};BlobEndpoint=${server.url}/stub;`;
  const rehydrated = (): number => {
    const coming = versions.filter((version) => version.coming !== undefined);
    for (const version of coming) {
      version.tier = version.coming!.to;
      version.coming = undefined;
    }
    return coming.length;
  };
  return { ...server, connection, versions, rehydrated };
};
