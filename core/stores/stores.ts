import type { StoreConfig } from "../config/schema.ts";
import { openArweaveStore } from "./arweave.ts";
import { openAzureBlobStore } from "./azure-blob.ts";
import { openDirectoryStore } from "./directory.ts";
import { openIpfsStore } from "./ipfs.ts";
import type { Store } from "./store.ts";

/** The store that a configuration with its secrets resolved describes. Does no I/O. */
export const openStore = (config: StoreConfig): Store => {
  switch (config.kind) {
    case "directory":
      return openDirectoryStore(config);
    case "azure-blob":
      return openAzureBlobStore(config);
    case "ipfs":
      return openIpfsStore(config);
    case "arweave":
      return openArweaveStore(config);
  }
};
