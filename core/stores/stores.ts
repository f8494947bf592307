import type { StoreConfig } from "../config/schema.ts";
import type { Store } from "./store.ts";

/**
 * The store that a configuration with its secrets resolved describes; `journal` is another, for what one of them has to remember while it is paid for. Does no I/O but
 * loading its driver.
 */
export const openStore = async (config: StoreConfig, journal?: () => Promise<Store>): Promise<Store> => {
  switch (config.kind) {
    case "directory":
      return (await import("./directory.ts")).openDirectoryStore(config);
    case "azure-blob":
      return (await import("./azure-blob.ts")).openAzureBlobStore(config);
    case "s3":
      return (await import("./s3.ts")).openS3Store(config);
    case "storj":
      return (await import("./storj.ts")).openStorjStore(config);
    case "sia":
      return (await import("./sia.ts")).openSiaStore(config);
    case "ipfs":
      return (await import("./ipfs.ts")).openIpfsStore(config);
    case "filecoin":
      return (await import("./filecoin.ts")).openFilecoinStore(config);
    case "arweave":
      return (await import("./arweave.ts")).openArweaveStore(config, { journal });
  }
};
