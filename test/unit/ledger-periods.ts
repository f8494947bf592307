import { commit, type EntryBody } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { buildPeriodPages } from "../../core/ledger/period-statement.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import type { Trust } from "../../core/ledger/verify/audit.ts";
import type { PeriodStatement } from "../../core/ledger/verify/period.ts";
import { nameSalt, origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { trust } from "./ledger-tampering.ts";

export const knownSigner = "cd".repeat(32);
const policy: Trust = { log: trust.log, require: { anchor: false }, signingKeys: [knownSigner] };

/** Two weeks of `orders` and `users`, in as many pages as `atMost` makes of a week and a half. */
export const pagedStatement = async (atMost = 4): Promise<{ pages: PeriodStatement[]; policy: Trust }> => {
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  for (let day = 1; day <= 14; day++) {
    const time = `2026-11-${String(day).padStart(2, "0")}T02:00:00.000Z`;
    const drafts = ["orders", "users"].map((name) => sealedDraft(day, name));
    await log.append(
      drafts.map(({ identity, body }) => ({ identity, body: { ...body, time, capturedAt: time, signer: knownSigner } as EntryBody })),
    );
  }
  const mine = (await Array.fromAsync(log.entries())).filter(
    ({ entry }) => "database" in entry && entry.database === commit("orders", nameSalt),
  );
  const pages = await buildPeriodPages({
    ...{
      log,
      atMost,
      database: { name: "orders", salt: nameSalt },
      objectives: { snapshotEverySeconds: 90_000, drillEverySeconds: 90_000 },
    },
    ...{ from: "2026-11-03T00:00:00.000Z", to: "2026-11-12T23:59:59.000Z" },
    places: mine.map(({ index, entry: { time } }) => ({ index, time })),
    attest: (index) => buildProofBundle({ log, index }),
  });
  return { policy, pages: await Promise.all(Array.from({ length: pages.count }, (_, at) => pages.page(at + 1))) };
};
