import { randomInt } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

/** Ports that were chosen and that their server may not listen on yet: an empty file each. Other stacks start at the same time. */
const chosenLately = join(tmpdir(), `dbgov-ports-${userInfo().uid}`);
const keptForMs = 2 * 60_000;

const forgetOld = async (): Promise<void> => {
  await mkdir(chosenLately, { recursive: true });
  for (const port of await readdir(chosenLately)) {
    const file = join(chosenLately, port);
    // Another process may have removed it meanwhile.
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > keptForMs) await rm(file, { force: true });
  }
};

/** Whether this process is the first to choose the port. */
const reserve = (port: number): Promise<boolean> =>
  writeFile(join(chosenLately, String(port)), "", { flag: "wx" }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );

/**
 * Free ports on loopback, none of `taken`. They are below the range that systems give to outgoing connections, so that
 * none is lost to one while a component is down. Nobody else is given them for two minutes.
 */
export const chooseFreePorts = async (count: number, taken: ReadonlySet<number>): Promise<number[]> => {
  await forgetOld();
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const port = randomInt(20_000, 32_700);
    if (!taken.has(port) && !chosen.has(port) && (await reserve(port)) && (await isFree(port))) chosen.add(port);
  }
  return [...chosen];
};
