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

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Every way to drop a member or an element of a value, to replace it, or to swap an element with the next one. */
export const variantsOf = (value: Json): Json[] => {
  const others = (one: Json): Json[] => {
    if (typeof one === "number") return [one + 1, String(one)];
    if (typeof one === "string") return one === "" ? ["x"] : [`${one.slice(0, -1)}${one.endsWith("0") ? "1" : "0"}`, one.slice(1), 7];
    if (typeof one === "boolean") return [!one];
    return [null];
  };
  if (Array.isArray(value)) {
    return value.flatMap((one, at): Json[] => [
      value.toSpliced(at, 1),
      value.toSpliced(at, 0, one),
      ...(at + 1 < value.length ? [value.with(at, value[at + 1]!).with(at + 1, one)] : []),
      ...[...variantsOf(one), ...others(one)].map((changed) => value.with(at, changed)),
    ]);
  }
  if (typeof value !== "object" || value === null) return [];
  return [
    { ...value, extra: 1 },
    ...Object.entries(value).flatMap(([key, one]): Json[] => {
      const { [key]: _, ...without } = value;
      return [without, ...[...variantsOf(one), ...others(one)].map((changed) => ({ ...value, [key]: changed }))];
    }),
  ];
};

/** Every so many of them, so that each kind of change is among them and the test stays quick. */
export const some = <T>(all: readonly T[], most: number): T[] => all.filter((_, at) => at % Math.ceil(all.length / most) === 0);
