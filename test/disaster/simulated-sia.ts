import { join } from "node:path";
import { siaSimulator } from "../integration/sia-simulator.ts";
import { stackDown, startComponent, stopComponent } from "../stack/stack.ts";
import type { LosableStore } from "./network.ts";
import type { awaitReadable, Ground, inBucket } from "./networks.ts";

/** A SeaweedFS of its own, so that it can be lost alone, and before it the simulator of the daemon. */
export const startSiaStore = async (
  { folder }: Ground,
  makeBucket: typeof inBucket,
  awaitBucket: typeof awaitReadable,
): Promise<LosableStore> => {
  const own = join(folder, "sia-stack");
  const s3 = await startComponent("s3", own);
  const { config, secrets, recovery } = await makeBucket("sia", s3);
  const daemon = await siaSimulator("s3d", s3.endpoint, String(config.bucket));
  return {
    ...{ name: "sia", kind: "sia", stand: "a simulator of s3d's status before SeaweedFS", simulated: true },
    config: {
      ...{ ...config, endpoint: daemon.endpoint },
      ...{ software: "s3d", api: daemon.api, password: { env: "DISASTER_SIA_PASSWORD" } },
    },
    secrets: { ...secrets, DISASTER_SIA_PASSWORD: daemon.password },
    recovery,
    lose: () => stopComponent("s3", own),
    bringBack: async () => {
      await startComponent("s3", own);
      await awaitBucket("sia", s3);
    },
    close: async () => {
      await daemon[Symbol.asyncDispose]();
      await stackDown(own, { purge: true });
    },
  };
};
