import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is stored of an object, as renterd says it. */
interface SimulatedObject {
  readonly bytes: number;
  /** In a buffer, with other small objects: called healthy, on no host. */
  buffered: boolean;
  health: number;
}

export interface SimulatedContract {
  id: string;
  state: "pending" | "active" | "complete" | "failed";
  startHeight: number;
  windowStart: number;
  contractPrice: string;
  initialRenterFunds: string;
}

/**
 * A simulator of two Sia daemons, since no registry has one that runs without a C compiler and hosts: `renterd` 2, written from its OpenAPI file and from
 * the types and handlers of its sources (`api/`, `bus/`, `object/slab.go`), and `s3d`, written from its `openapi.yml` and `sia/upload.go`. Objects
 * themselves are kept by the real S3 server at `s3`, which it stands before: whatever is put there waits, as in the daemons, until it is uploaded.
 * Not simulated: hosts, erasure coding, prices, and all that dbgov does not ask for.
 */
export interface SiaSimulator extends AsyncDisposable {
  /** The S3 API. */
  readonly endpoint: string;
  /** The daemon's own API. */
  readonly api: string;
  readonly password: string;
  readonly objects: ReadonlyMap<string, SimulatedObject>;
  readonly contracts: SimulatedContract[];
  readonly chain: { blockHeight: number; lastBlockTime: string; synced: boolean };
  /** In hastings. */
  readonly wallet: { spendable: string; confirmed: string; unconfirmed: string; immature: string };
  /** How many requests to upload what waits were made, and how often the autopilot was woken. */
  readonly told: { flush: number; trigger: number };
  /** The network takes no uploads. `errors`: and flushing says so. */
  stalls: false | "silently" | "errors";
  /** `s3d` up to 0.1.1 has no way to be told to upload. */
  canFlush: boolean;
  /** Uploads what waits, as the daemons do by themselves once it fills slabs. */
  upload(): void;
}

/** So much of the data of a slab is data: ten sectors of 4 MiB of thirty. */
const slabBytes = 40 << 20;

export const siaSimulator = async (software: "renterd" | "s3d", s3: string, bucket: string): Promise<SiaSimulator> => {
  const objects = new Map<string, SimulatedObject>();
  const password = "simulated-password";
  const sia = {
    objects,
    password,
    contracts: [] as SimulatedContract[],
    chain: { blockHeight: 500_000, lastBlockTime: new Date().toISOString(), synced: true },
    wallet: { spendable: "0", confirmed: "0", unconfirmed: "0", immature: "0" },
    told: { flush: 0, trigger: 0 },
    stalls: false as SiaSimulator["stalls"],
    canFlush: true,
    upload: () => {
      if (sia.stalls !== false) return;
      for (const object of objects.values()) object.buffered = false;
    },
  };

  const pending = () => [...objects.values()].filter(({ buffered }) => buffered);
  const sum = (some: Iterable<SimulatedObject>) => [...some].reduce((total, { bytes }) => total + bytes, 0);

  const s3dAnswers = (method: string, path: string): [status: number, body?: unknown] => {
    switch (`${method} ${path}`) {
      case "GET /stats/uploads": {
        const waiting = pending();
        return [
          200,
          {
            pendingObjects: waiting.length,
            pendingSize: sum(waiting),
            uploadedObjects: objects.size - waiting.length,
            uploadedSize: sum(objects.values()) - sum(waiting),
            failedUploads: sia.stalls === false ? 0 : sia.told.flush,
            orphanedObjects: 0,
            multipartUploads: 0,
          },
        ];
      }
      case "POST /objects/flush":
        if (!sia.canFlush) return [404];
        sia.told.flush += 1;
        if (sia.stalls === "errors") return [500];
        sia.upload();
        return [200];
      default:
        return [404];
    }
  };

  /** An object that was buffered has no shards, and a health of 1 (`NewPartialSlab` in object/slab.go). */
  const slabsOf = ({ bytes, buffered, health }: SimulatedObject) =>
    Array.from({ length: Math.ceil(bytes / slabBytes) }, (_, index) => ({
      slab: {
        health: buffered ? 1 : health,
        encryptionKey: "key:00",
        minShards: 10,
        ...(buffered ? {} : { shards: Array.from({ length: 30 }, (_, shard) => ({ root: `h:${shard}`, contracts: {} })) }),
      },
      offset: 0,
      length: Math.min(slabBytes, bytes - index * slabBytes),
    }));

  const renterdAnswers = (method: string, path: string, query: URLSearchParams): [status: number, body?: unknown] => {
    const [, key] = /^\/api\/bus\/object\/(.+)$/.exec(path) ?? [];
    if (method === "GET" && key !== undefined) {
      const object = query.get("bucket") === bucket ? objects.get(decodeURIComponent(key)) : undefined;
      if (object === undefined) return [404];
      const health = object.buffered ? 1 : object.health;
      return [200, { key: "key:00", health, size: object.bytes, name: key, ...(object.bytes === 0 ? {} : { slabs: slabsOf(object) }) }];
    }
    switch (`${method} ${path}`) {
      case "GET /api/bus/consensus/state":
        return [200, sia.chain];
      case "GET /api/bus/contracts":
        // A nil slice of Go's, where there are none.
        return [200, sia.contracts.length === 0 ? null : sia.contracts];
      case "GET /api/bus/wallet":
        return [200, { ...sia.wallet, address: "addr:00", scanHeight: sia.chain.blockHeight }];
      case "GET /api/bus/stats/objects":
        return [200, { numObjects: objects.size, minHealth: 1, totalObjectsSize: sum(objects.values()), totalUploadedSize: 0 }];
      case "POST /api/autopilot/trigger":
        sia.told.trigger += 1;
        return [200, { triggered: true }];
      default:
        return [404];
    }
  };

  const api = createServer((incoming, answer) => {
    incoming.resume().on("end", () => {
      const authorized = incoming.headers.authorization === `Basic ${Buffer.from(`:${password}`).toString("base64")}`;
      const url = new URL(incoming.url ?? "/", "http://simulator");
      const method = incoming.method ?? "GET";
      const [status, body] = !authorized
        ? ([401] as const)
        : software === "s3d"
          ? s3dAnswers(method, url.pathname)
          : renterdAnswers(method, url.pathname, url.searchParams);
      answer.writeHead(status, { "content-type": "application/json" }).end(body === undefined ? "" : JSON.stringify(body));
    });
  });

  const front = createServer((incoming, answer) =>
    pass(s3, incoming, answer, (path, bytes) => noteOf(objects, bucket, incoming, path, bytes)),
  );
  const urls = await Promise.all(
    [front, api].map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  return Object.assign(sia, {
    endpoint: urls[0]!,
    api: urls[1]!,
    [Symbol.asyncDispose]: async () => {
      for (const server of [front, api]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
};

/** What a successful request has changed. */
const noteOf = (objects: Map<string, SimulatedObject>, bucket: string, { method }: IncomingMessage, path: string, bytes: number): void => {
  if (!path.startsWith(`/${bucket}/`)) return;
  const key = decodeURIComponent(path.slice(bucket.length + 2));
  if (method === "PUT") objects.set(key, { bytes, buffered: bytes > 0, health: 1 });
  if (method === "DELETE") objects.delete(key);
};

/** Passes a request on as it is, host and signature included, and tells of it when it has succeeded. */
const pass = (to: string, incoming: IncomingMessage, answer: ServerResponse, done: (path: string, bytes: number) => void): void => {
  const { hostname, port } = new URL(to);
  let bytes = 0;
  incoming.on("data", (block: Buffer) => {
    bytes += block.length;
  });
  const { method, headers, url } = incoming;
  const onward = request({ hostname, port, method, path: url, headers }, (reply) => {
    if ((reply.statusCode ?? 500) < 300) done(new URL(url ?? "/", to).pathname, bytes);
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  incoming.on("error", () => onward.destroy()).on("close", () => incoming.complete || onward.destroy());
  incoming.pipe(onward);
};
