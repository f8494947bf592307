import type { StoreConfig } from "../config/schema.ts";
import { openS3Store, type S3Service } from "./s3.ts";
import { defaultRegion } from "./s3-connection.ts";
import { openSiaApi } from "./sia-api.ts";
import { renterdState } from "./sia-renterd.ts";
import { s3dState } from "./sia-s3d.ts";
import type { Store, StoreCapabilities, StoreOptions } from "./store.ts";

type SiaConfig = Extract<StoreConfig, { kind: "sia" }>;

export const siaCapabilities: StoreCapabilities = {
  largestObject: 5 * (1 << 30),
  rangedReads: true,
  deletion: "real",
  public: false,
  listing: "lexicographic",
  conditionalWrites: false,
  immutability: "none",
  minimumDays: 0,
  expires: "unless-renewed",
  presence: "bytes read back and hashed; hosts prove to the chain, at a contract's end",
  durableWhen: "the upload queue is empty and the object's health full, which dbgov waits for; the answer itself means one disk",
};

const service: S3Service = { kind: "sia", capabilities: siaCapabilities };

/** A bucket of the Sia network. Does no I/O. Throws `ConfigurationInvalid` for addresses that cannot be any. */
export const openSiaStore = (config: SiaConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000 } = options;
  const bucket = openS3Store({ ...config, region: defaultRegion }, options, service);
  const ask = openSiaApi(config, silenceMs);
  const nameOf = (key: string): string => (config.prefix === "" ? key : `${config.prefix}/${key}`);
  return { ...bucket, ...(config.software === "s3d" ? s3dState(ask, silenceMs) : renterdState(ask, config.bucket, nameOf)) };
};
