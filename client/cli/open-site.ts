import { migrate } from "../../core/catalog/migrate.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { connectSite, type Orchestrator, orchestratorFailure } from "../connect.ts";
import type { CommandInput } from "./program.ts";

/** Runs `work` with the site of the command's `--config`, and closes what it opened. */
export const withSite = async <T>({ options }: CommandInput, work: (site: Site) => Promise<T>): Promise<T> => {
  const site = openSite(await loadConfig(String(options.config)));
  try {
    return await work(site);
  } finally {
    await site.close();
  }
};

/** The same for what reads the catalog, which need not have been set up by a worker before. */
export const withCatalog = <T>(input: CommandInput, work: (site: Site) => Promise<T>): Promise<T> =>
  withSite(input, async (site) => {
    await migrate(await site.catalog());
    return await work(site);
  });

/** The same as `withSite` with a connection to Temporal. */
export const withOrchestrator = async <T>(input: CommandInput, work: (site: Site, orchestrator: Orchestrator) => Promise<T>): Promise<T> =>
  await withSite(input, async (site) => {
    const orchestrator = await connectSite(site);
    try {
      return await work(site, orchestrator);
    } catch (error) {
      throw orchestratorFailure(error, site.loaded.config.temporal.address);
    } finally {
      await orchestrator.close();
    }
  });
