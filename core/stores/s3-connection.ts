import { S3Client } from "@aws-sdk/client-s3";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";

export type S3Config = Extract<StoreConfig, { kind: "s3" }>;

/** A bucket and its keys, whatever kind of store it is. */
export type Bucket = Omit<S3Config, "kind">;

/** Where a store's objects are; what its address says. Holds no secret. */
export type S3Place = Pick<S3Config, "bucket" | "prefix" | "region" | "endpoint" | "pathStyle">;

/** What most services other than AWS take for their region, and AWS's own first. */
export const defaultRegion = "us-east-1";

/** Services of one's own seldom have a host name for each bucket; AWS wants them. */
const usesPathStyle = ({ endpoint, pathStyle }: S3Place): boolean => pathStyle ?? endpoint !== undefined;

/**
 * A client of the configured service and no other: neither the environment nor a profile of the AWS tools can send it elsewhere.
 * Throws `ConfigurationInvalid` for an endpoint that cannot be one. Does no I/O.
 */
export const s3Client = (config: Bucket): S3Client => {
  const { name, region, endpoint, accessKeyId, secretAccessKey, sessionToken } = config;
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    throw new Failure("ConfigurationInvalid", `store "${name}": the endpoint must be an http or https URL without password, path or query`);
  }
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    forcePathStyle: usesPathStyle(config),
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // A few quick tries within one call; what lasts longer is the caller's to retry.
    retryMode: "standard",
    maxAttempts: 3,
    // By itself the SDK appends a CRC in a trailer, which several services refuse or store as if it were content. The MD5 that is
    // sent with each object, and the SHA-256 in its signature, are older and understood by all.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Waiting for "100 Continue" costs a connection for each object, and six seconds where a service never says it.
    expectContinueHeader: false,
  });
};

const isEndpoint = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === "" && url.password === "" && url.pathname === "/" && url.search === "" && url.hash === "";
};

/** `s3://BUCKET/PREFIX?region=…&endpoint=…`, without what is as it is by default. */
export const s3Address = (place: S3Place): string => {
  const { bucket, prefix, region, endpoint, pathStyle } = place;
  const query = new URLSearchParams();
  if (region !== defaultRegion) query.set("region", region);
  if (endpoint !== undefined) query.set("endpoint", new URL(endpoint).origin);
  if (pathStyle !== undefined && pathStyle !== usesPathStyle({ ...place, pathStyle: undefined })) query.set("pathStyle", String(pathStyle));
  const path = prefix === "" ? bucket : `${bucket}/${prefix}`;
  // An origin stands in a query as it is: nobody should have to type %3A%2F%2F from paper.
  return `s3://${path}${query.size === 0 ? "" : `?${decodeURIComponent(query.toString())}`}`;
};

/** The place that an address of `s3Address` names; undefined for what is none. */
export const parseS3Address = (address: string): S3Place | undefined => {
  const url = URL.parse(address);
  if (url === null || url.protocol !== "s3:" || url.username !== "" || url.port !== "" || url.hash !== "") return undefined;
  const query = url.searchParams;
  if ([...query.keys()].some((key) => !["region", "endpoint", "pathStyle"].includes(key))) return undefined;
  const [endpoint, pathStyle] = [query.get("endpoint"), query.get("pathStyle")];
  if (url.hostname === "" || (endpoint !== null && !isEndpoint(endpoint))) return undefined;
  if (pathStyle !== null && pathStyle !== "true" && pathStyle !== "false") return undefined;
  return {
    bucket: url.hostname,
    prefix: url.pathname.replace(/^\/|\/$/g, ""),
    region: query.get("region") ?? defaultRegion,
    ...(endpoint === null ? {} : { endpoint }),
    ...(pathStyle === null ? {} : { pathStyle: pathStyle === "true" }),
  };
};
