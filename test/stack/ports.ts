import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * Free ports on loopback, none of `taken`. They are below the range that systems give to outgoing connections, so that
 * none is lost to one while a component is down.
 */
export const chooseFreePorts = async (count: number, taken: ReadonlySet<number>): Promise<number[]> => {
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const port = randomInt(20_000, 32_700);
    if (!taken.has(port) && !chosen.has(port) && (await isFree(port))) chosen.add(port);
  }
  return [...chosen];
};
