import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { ask } from "../stack/components/http.ts";
import type { ComponentName, StackAddresses } from "../stack/components.ts";
import { startComponent, stopComponent } from "../stack/stack.ts";
import type { LosableStore } from "./network.ts";
import { startFilecoinStore } from "./simulated-filecoin.ts";
import { startSiaStore } from "./simulated-sia.ts";

/** What the stores are on: the stack, where it is, and a folder for what is none of it. */
export interface Ground {
  readonly stack: Omit<StackAddresses, "storj"> & Partial<Pick<StackAddresses, "storj">>;
  readonly stackFolder: string;
  readonly folder: string;
}

/** By name, the stores of the drill in their order; each is started when it is asked for. `disk` is the landing store. */
export const networks = {
  disk: async ({ folder }: Ground): Promise<LosableStore> => {
    const [path, gone] = [join(folder, "disk"), join(folder, "disk that is gone")];
    return {
      ...{ name: "disk", kind: "directory", stand: "a folder on this machine's disk", simulated: false },
      ...{ config: { domain: "this-machine", path }, secrets: {}, recovery: {} },
      lose: () => rename(path, gone),
      bringBack: () => rename(gone, path),
    };
  },

  azure: async (ground: Ground): Promise<LosableStore> => {
    const { connectionString } = ground.stack.azurite;
    return {
      ...{ name: "azure", kind: "azure-blob", stand: "Azurite, Microsoft's emulator", simulated: false },
      config: { domain: "azure", connection: { env: "DISASTER_AZURE" }, container: "disaster" },
      secrets: { DISASTER_AZURE: connectionString },
      recovery: { AZURE_STORAGE_CONNECTION_STRING: connectionString },
      ...onComponent(ground, "azurite"),
    };
  },

  ipfs: async (ground: Ground): Promise<LosableStore> => ({
    ...{ name: "ipfs", kind: "ipfs", stand: `${ground.stack.ipfs.length} peers of kubo, a network of their own`, simulated: false },
    config: { domain: "ipfs", folder: "/disaster", peers: ground.stack.ipfs.map(({ name, api }) => ({ name, api })) },
    ...{ secrets: {}, recovery: {} },
    ...onComponent(ground, "ipfs"),
  }),

  bucket: async (ground: Ground): Promise<LosableStore> => ({
    ...{ name: "bucket", kind: "s3", stand: "SeaweedFS, an S3 server", simulated: false },
    ...(await inBucket("bucket", ground.stack.s3)),
    lose: onComponent(ground, "s3").lose,
    bringBack: async () => {
      await onComponent(ground, "s3").bringBack();
      await awaitReadable("bucket", ground.stack.s3);
    },
  }),

  storj: async ({ stack: { storj } }: Ground): Promise<LosableStore> => {
    if (storj === undefined) throw new Error("the stack was started without Storj");
    // The network keeps nothing when it ends, so its nodes go instead, and their satellite knows.
    const all = async (what: "stop" | "start"): Promise<void> => {
      const { nodes } = (await (await ask(`${storj.control}/nodes`)).json()) as { nodes: number };
      for (let node = 0; node < nodes; node += 1) {
        const answer = await ask(`${storj.control}/nodes/${node}/${what}`, { method: "POST" }, 60_000);
        if (!answer.ok) throw new Error(`storage node ${node} did not ${what}: ${await answer.text()}`);
      }
    };
    return {
      ...{ name: "storj", kind: "storj", simulated: false },
      stand: "Storj's own software: a satellite, ten storage nodes and the gateway, a network of their own",
      ...(await inBucket("storj", storj)),
      lose: async () => {
        await all("stop");
        await assertUnreadable("storj", storj);
      },
      bringBack: async () => {
        await all("start");
        await awaitReadable("storj", storj);
      },
    };
  },

  sia: (ground: Ground): Promise<LosableStore> => startSiaStore(ground, inBucket, awaitReadable),
  filecoin: (): Promise<LosableStore> => startFilecoinStore(),
} satisfies Record<string, (ground: Ground) => Promise<LosableStore>>;

export type NetworkName = keyof typeof networks;

/** For small things that shall stay: no pack ever gets there, so nothing can be restored from it. The sample's configuration has it already. */
export const archive = (ground: Ground): Pick<LosableStore, "name" | "stand" | "lose" | "bringBack"> => ({
  ...{ name: "arweave", stand: "arlocal, a gateway and chain for tests that others wrote" },
  ...onComponent(ground, "arlocal"),
});

const onComponent = ({ stackFolder }: Ground, component: ComponentName) => ({
  lose: () => stopComponent(component, stackFolder),
  bringBack: async () => void (await startComponent(component, stackFolder)),
});

interface Service {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const clientOf = ({ endpoint, accessKeyId, secretAccessKey }: Service): S3Client =>
  new S3Client({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });

const bucketOf = (name: string): string => `disaster-${name}`;

/**
 * What has just come back may not find all of its parts yet (volumes, storage nodes): resolves once every pack can be read, rejects with the last refusal
 * as its cause after five minutes.
 */
export const awaitReadable = async (name: string, service: Service): Promise<void> => {
  const client = clientOf(service);
  const until = Date.now() + 300_000;
  const readAll = async (): Promise<void> => {
    for (const { key } of await packsOf(client, name)) await readPack(client, name, key);
  };
  try {
    for (;;) {
      const refusal = await readAll().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (refusal === undefined) return;
      if (Date.now() > until)
        throw new Error(`${name} is back since five minutes, and still not all of its packs can be read`, { cause: refusal.error });
      await delay(1_000);
    }
  } finally {
    client.destroy();
  }
};

/** Of a store whose directory still answers when it is lost. What is as small as a few kilobytes may be in the directory itself, so the largest pack is asked for. */
const assertUnreadable = async (name: string, service: Service): Promise<void> => {
  const client = clientOf(service);
  try {
    const [largest] = (await packsOf(client, name)).toSorted((one, other) => other.bytes - one.bytes);
    if (largest === undefined) throw new Error(`${name} has no pack that could be lost`);
    const bytes = await readPack(client, name, largest.key).catch((error: unknown) => {
      if (!(error instanceof S3ServiceException)) throw error;
    });
    if (bytes !== undefined) throw new Error(`${name} is not lost: ${largest.key} can be read (${largest.bytes} bytes)`);
  } finally {
    client.destroy();
  }
};

const packsOf = async (client: S3Client, name: string): Promise<{ key: string; bytes: number }[]> => {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucketOf(name), Prefix: "packs/" }));
  return Contents.map(({ Key = "", Size = 0 }) => ({ key: Key, bytes: Size }));
};

const readPack = async (client: S3Client, name: string, Key: string): Promise<Uint8Array> =>
  await (await client.send(new GetObjectCommand({ Bucket: bucketOf(name), Key }))).Body!.transformToByteArray();

/** A new bucket, what the configuration says of it, and the keys for it. */
export const inBucket = async (name: string, service: Service): Promise<Pick<LosableStore, "config" | "secrets" | "recovery">> => {
  const { endpoint, accessKeyId, secretAccessKey } = service;
  const bucket = bucketOf(name);
  const client = clientOf(service);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const [keyId, secret] = [`DISASTER_${name.toUpperCase()}_KEY_ID`, `DISASTER_${name.toUpperCase()}_SECRET`];
  return {
    config: { domain: name, bucket, endpoint, accessKeyId: { env: keyId }, secretAccessKey: { env: secret } },
    secrets: { [keyId]: accessKeyId, [secret]: secretAccessKey },
    recovery: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
};
