import { readFileSync } from "node:fs";
import { parseConfig } from "../../core/config/load-config.ts";
import type { Config } from "../../core/config/schema.ts";

/** What a site is made of where a test needs no secrets of it: the example's configuration. */
export const exampleConfig: Config = parseConfig(
  readFileSync(new URL("../../dbgov.example.yaml", import.meta.url), "utf8"),
  "dbgov.example.yaml",
);
