import { metricMeter } from "@temporalio/activity";
import { noteSparsePacks, sparseSummary } from "../../core/catalog/sparse-packs.ts";
import type { SparseSummary } from "../../core/domain/retention-sparse.ts";
import { assessPacks } from "../../core/site/sparse-packs.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

const standstill = { afterMs: 10 * 60_000, type: "CatalogUnreachable" } as const;

export const createRetireSparsePacks = ({ site }: ActivityEnvironment) => ({
  /**
   * Judges every pack by how much of it is needed, and retires those that are worth it: captures write anew what they need of them. Deletes
   * nothing. A second attempt judges again, and its findings take the place of the first one's.
   */
  retireSparsePacks: (): Promise<{ sparse: readonly SparseSummary[] }> =>
    keepAlive({ ...standstill, what: "judging how much of each pack is needed" }, async (report) => {
      const at = await site();
      const catalog = await at.catalog();
      const now = new Date();
      await noteSparsePacks(catalog, await assessPacks(at, now, (judged) => report({ judged })), now);
      const sparse = await sparseSummary(catalog);
      tellSparse(sparse);
      return { sparse };
    }),
});

/** Gauges; `docs/operations.md` says what they tell. */
const tellSparse = (sparse: readonly SparseSummary[]): void => {
  const sum = (of: (one: SparseSummary) => number): number => sparse.reduce((total, one) => total + of(one), 0);
  metricMeter.createGauge("dbgov_sparse_packs", "int", "1", "Packs of which little is needed").set(sum(({ packs }) => packs));
  metricMeter
    .createGauge("dbgov_sparse_dead_bytes", "int", "By", "Bytes of these packs that nobody needs")
    .set(sum(({ deadBytes }) => deadBytes));
};
