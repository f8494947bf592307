import type { StoreConfig } from "../config/schema.ts";
import { openS3Store, type S3Service } from "./s3.ts";
import { defaultRegion } from "./s3-connection.ts";
import type { Store, StoreCapabilities, StoreOptions } from "./store.ts";

type StorjConfig = Extract<StoreConfig, { kind: "storj" }>;

export const storjCapabilities: StoreCapabilities = {
  // In one request; a pack is one segment.
  largestObject: 5 * (1 << 30),
  rangedReads: true,
  deletion: "real",
  public: false,
  // That of the encrypted names.
  listing: "unordered",
  conditionalWrites: false,
  immutability: "version",
  minimumDays: 30,
  expires: "never",
  presence: "bytes read back and hashed; the satellite audits its nodes, and tells nobody",
  durableWhen: "the gateway answers: enough nodes have a piece of every segment",
};

const service: S3Service = { kind: "storj", capabilities: storjCapabilities };

/** A bucket of the Storj network, through an S3 gateway. Does no I/O. Throws `ConfigurationInvalid` for an endpoint that cannot be one. */
export const openStorjStore = (config: StorjConfig, options: StoreOptions = {}): Store =>
  openS3Store({ ...config, region: defaultRegion }, options, service);
