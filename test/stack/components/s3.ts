import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Component, Place } from "../component.ts";
import { findProgram } from "../programs.ts";
import { ask } from "./http.ts";

const endpointOf = (place: Place) => `http://127.0.0.1:${place.ports.s3}`;
const accessKeyId = "dbgov";

/** SeaweedFS as an S3 service of one machine, with one user whose key is random. Buckets are made by who uses them. */
export const s3: Component<{ endpoint: string; accessKeyId: string; secretAccessKey: string }> = {
  title: "S3 (SeaweedFS)",
  ports: ["s3", "s3Rpc", "filer", "filerRpc", "master", "masterRpc", "volume", "volumeRpc"],
  makeSecrets: () => ({ key: randomBytes(24).toString("base64url") }),
  setUp: async (progress) => {
    await findProgram("seaweed", progress);
  },
  prepare: async (place, progress) => {
    await mkdir(join(place.folder, "data"), { recursive: true });
    const { ports } = place;
    return {
      s3: {
        command: await findProgram("seaweed", progress),
        args: [
          ...["-logtostderr=true", "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"],
          ...[`-master.port=${ports.master}`, `-master.port.grpc=${ports.masterRpc}`, "-master.telemetry=false"],
          // It takes seven volumes for each bucket; they grow as they are filled.
          ...["-master.volumeSizeLimitMB=256", "-volume.max=1000", `-volume.port=${ports.volume}`, `-volume.port.grpc=${ports.volumeRpc}`],
          ...["-filer", `-filer.port=${ports.filer}`, `-filer.port.grpc=${ports.filerRpc}`, "-filer.localSocket=filer.sock"],
          ...["-s3", `-s3.port=${ports.s3}`, `-s3.port.grpc=${ports.s3Rpc}`, "-s3.port.iceberg=0", "-s3.port.lance=0"],
          ...["-s3.localSocket=s3.sock", "-s3.autoCreateBucket=false"],
        ],
        cwd: place.folder,
        env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: place.secrets.key! },
      },
    };
  },
  check: async (place) => {
    // Not signed, so refused: but by SeaweedFS, once all of it runs.
    const response = await ask(endpointOf(place));
    const server = response.headers.get("server") ?? "";
    if (!server.startsWith("SeaweedFS") || response.status !== 403)
      throw new Error(`${server || "another server"} answers ${response.status}`);
    await ask(`http://127.0.0.1:${place.ports.volume}/healthz`);
  },
  address: async (place) => ({ endpoint: endpointOf(place), accessKeyId, secretAccessKey: place.secrets.key! }),
  shown: endpointOf,
  // Asked to end, it waits 15 s for its own parts; what it has acknowledged survives a kill.
  stopSignal: "SIGKILL",
  outside: ({ ports }) =>
    (["s3", "filer", "master", "volume"] as const).map((part) => `/tmp/seaweedfs-${part}-grpc-${ports[`${part}Rpc`]}.sock`),
};
