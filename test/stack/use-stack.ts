import { join } from "node:path";
import type { ComponentName, StackAddresses } from "./components.ts";
import { progressToStderr } from "./progress.ts";
import { stackUp } from "./stack.ts";

/** The stack that all tests share. A test that stops or kills a component uses a folder of its own instead. */
export const testStackFolder = process.env.DBGOV_TEST_STACK ?? join(import.meta.dirname, "..", "..", ".dbgov", "test-stack");

/**
 * Real servers for a test: starts those of them that are not running, and says where they are. Test processes share
 * them, so use names (databases, containers, folders, accounts) of your own. They stay up when a test file is run by
 * hand; `npm test` stops them at its end.
 */
export const useStack = async <Name extends ComponentName>(...names: Name[]): Promise<Pick<StackAddresses, Name>> => {
  const addresses = await stackUp({ folder: testStackFolder, components: names, onProgress: progressToStderr });
  // For the product's own search for pg_dump and the rest.
  const bin = (addresses as Partial<StackAddresses>).postgres?.bin;
  if (bin !== undefined) process.env.DBGOV_PG_BIN ??= bin;
  return addresses;
};
