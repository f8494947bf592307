import type { ProofTimes } from "../../core/catalog/proof-times.ts";
import type { Config } from "../../core/config/schema.ts";
import type { RepairTimes } from "../../core/domain/durability.ts";
import { durationMs } from "../../core/domain/duration.ts";
import type { StoreKind } from "../../core/stores/store.ts";
import type { MeasuredTimes } from "./measured-times.ts";

/** What is known, or assumed, beside the rates of loss. */
export interface Circumstances {
  /** What is stored in each store, in bytes. */
  readonly estateBytes: number;
  /** How fast the line is over which a store is filled anew, in bytes a second. */
  readonly bytesPerSecond: number;
  /** From the notice that a store is gone until there is another one: an operator's work. */
  readonly replaceDays: number;
  readonly measured: MeasuredTimes;
  /** Of the site's own catalog, by store; none without `--records`. */
  readonly records: ReadonlyMap<string, ProofTimes>;
}

/** How long what a store has lost stays lost, and where each of the numbers comes from, in a clause. */
export interface StoreTimes {
  readonly times: RepairTimes;
  readonly from: { readonly [Time in keyof RepairTimes]: string };
}

const secondsInDay = 86_400;

/** Every night writes to every store, so that one that is gone is noticed within a day. */
const nightDays = 1;
/** Records say how often a store is asked once they have seen a week. */
const leastDays = 7;
/** A rate of bytes says little where little was moved. */
const leastBytes = 1e9;

/** What a network takes until a copy that it has taken counts, in days, where it says so. */
const settling: Readonly<Partial<Record<StoreKind, number>>> = { filecoin: 2 };

export const timesOf = (config: Config, name: string, packs: number, circumstances: Circumstances): StoreTimes => {
  const { kind } = config.stores.find((store) => store.name === name)!;
  const records = circumstances.records.get(name);
  const { measured } = circumstances;
  const found = measured.stores[kind];
  // What a simulator took says nothing of the network.
  const tried = found?.simulated === true ? undefined : found;
  const where = tried === undefined ? "" : `${tried.stand}, ${measured.date}`;
  const everyDays = durationMs(config.durability.every) / (1_000 * secondsInDay);
  const settleDays = settling[kind] ?? 0;
  const settles = settleDays === 0 ? "" : `; and ${settleDays} days until its network has proven it (stated)`;

  const notice = (): Told => {
    if (records === undefined || records.recordedDays < leastDays)
      return { days: nightDays, from: "configured: the next night's run writes there" };
    const days = Math.max(everyDays, records.silentDays);
    return {
      days,
      from: `measured: in the site's records nothing was asked of it or written to it for ${inDays(records.silentDays)} at most`,
    };
  };

  const cover = (): Told => {
    const told: Told =
      records === undefined || records.recordedDays <= config.durability.coverDays
        ? { days: config.durability.coverDays, from: "configured: durability.coverDays" }
        : {
            days: records.unprovenDays,
            from: `measured: in the site's records each of its ${records.copies} copies was proven within that`,
          };
    if (tried === undefined) return told;
    const each = tried.askingSeconds / tried.asked;
    const whole = (packs * each) / secondsInDay;
    const costs = `asking for all of them takes ${inDays(whole)} (measured: ${Math.ceil(1_000 * each)} ms each; ${where})`;
    return whole > told.days ? { days: whole, from: costs } : { days: told.days, from: `${told.from}; ${costs}` };
  };

  const repair = (): Told => {
    if (records?.replaceDays != null) {
      const { mean, longest } = records.replaceDays;
      return {
        days: mean,
        from: `measured: the mean of ${records.replaced} that were replaced in the site's records, ${inDays(longest)} at the longest`,
      };
    }
    const base = "configured: by the pass that finds it; here, as if that always failed, by the next (durability.every)";
    if (tried === undefined) return { days: everyDays + settleDays, from: `${base}${settles}` };
    const days = tried.replacingSeconds / tried.replaced / secondsInDay;
    const one = `then ${inDays(days)} for a pack (measured: ${tried.replaced} lost ones; ${where})`;
    return { days: everyDays + days + settleDays, from: `${base}; ${one}${settles}` };
  };

  const replace = (): Told => {
    const own = records !== undefined && records.replacedBytes >= leastBytes ? records.replacedBytes / records.replacingSeconds : undefined;
    const rate = own ?? (tried === undefined ? Infinity : tried.replacedBytes / tried.replacingSeconds);
    const source = own !== undefined ? "measured: in the site's records" : `measured: ${where}`;
    const slower =
      rate < circumstances.bytesPerSecond
        ? `${megabytes(rate)} (${source}, slower than the line)`
        : `${megabytes(circumstances.bytesPerSecond)}, which is the line (assumed)${rate === Infinity ? "" : `, and the store takes ${megabytes(rate)} (${source})`}`;
    return {
      days:
        circumstances.replaceDays + circumstances.estateBytes / Math.min(rate, circumstances.bytesPerSecond) / secondsInDay + settleDays,
      from: `an operator's ${inDays(circumstances.replaceDays)} (assumed), and refilling it at ${slower}${settles}`,
    };
  };

  const all = { noticeDays: notice(), coverDays: cover(), repairDays: repair(), replaceDays: replace() };
  return {
    times: mapped(all, ({ days }) => days),
    from: mapped(all, ({ from }) => from),
  };
};

interface Told {
  readonly days: number;
  readonly from: string;
}

const mapped = <T>(all: Record<keyof RepairTimes, Told>, of: (told: Told) => T): Record<keyof RepairTimes, T> => ({
  noticeDays: of(all.noticeDays),
  replaceDays: of(all.replaceDays),
  coverDays: of(all.coverDays),
  repairDays: of(all.repairDays),
});

const megabytes = (bytesPerSecond: number): string => `${Number((bytesPerSecond / 1e6).toPrecision(2))} MB/s`;

/** Two digits of it, in the unit that suits. */
export const inDays = (days: number): string => {
  const [value, unit] =
    days >= 1
      ? [days, "day"]
      : days * 24 >= 1
        ? [days * 24, "hour"]
        : days * 1_440 >= 1
          ? [days * 1_440, "minute"]
          : [days * secondsInDay, "second"];
  const shown = Number(value.toPrecision(2));
  return `${shown} ${unit}${shown === 1 ? "" : "s"}`;
};
