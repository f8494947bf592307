import { type Random, randomOf } from "./seeded-random.ts";

/**
 * How likely it is that a year takes the last copy of something. Copies are lost by chance, at stated rates, and are made again after the
 * time that finding the loss and repairing it take; what is lost is a pack whose copies are all away at one moment.
 *
 * Losses that matter take several events within days of each other: too rare to wait for. So the years are sorted by how many events
 * they have, which is Poisson-distributed and thus known exactly; what the events hit and when is drawn with a preference for rare
 * sources, for days near each other and for the same pack, and each drawn year counts as much less as it was preferred (importance
 * sampling). A year is a circle that begins with its first event: what began in December still lasts in January.
 */

/** Something that holds a copy of every pack. Rates are events in a year. */
export interface CopyPlace {
  readonly name: string;
  readonly domain: string;
  /** The place and all that it holds: its disk fails, its account is closed. */
  readonly placeLosses: number;
  /** One pack of it, without a word. */
  readonly packLosses: number;
  readonly times: RepairTimes;
}

/** How long what was lost stays lost, in days. */
export interface RepairTimes {
  /** Until a lost place is noticed, at the latest. */
  readonly noticeDays: number;
  /** From then until there is another place and all has been copied to it. */
  readonly replaceDays: number;
  /** Within how many days every copy of every pack there is challenged. */
  readonly coverDays: number;
  /** From the finding until the pack is whole again. */
  readonly repairDays: number;
}

export interface DurabilityModel {
  readonly places: readonly CopyPlace[];
  /** What takes all places of one failure domain at once. */
  readonly domains: readonly { readonly domain: string; readonly losses: number }[];
  readonly packs: number;
}

export interface Durability {
  /** The probability that a year loses at least one of the packs. */
  readonly annualLoss: number;
  /** 95 % confidence, from the years drawn; it says nothing of the rates. */
  readonly interval: readonly [number, number];
}

/** Years with more events, or with a number of them that is less likely, are counted as lost. */
const mostEvents = 10;
const leastLikely = 1e-15;
const daysInYear = 365.25;

interface Source {
  readonly rate: number;
  /** How likely an event is drawn to be of this source, and how much a year with it counts for that. */
  readonly drawn: number;
  readonly weight: number;
  /** Bit by place. */
  readonly hits: number;
  readonly onePack: boolean;
}

interface Outage {
  readonly hits: number;
  /** Which pack; -1 stands for all. */
  readonly pack: number;
  /** As parts of the year. */
  readonly from: number;
  readonly length: number;
}

/** `years` are drawn for each number of events. The same seed gives the same answer. */
export const simulateDurability = (model: DurabilityModel, { years, seed }: { years: number; seed: number }): Durability => {
  const sources = sourcesOf(model);
  const total = sources.reduce((sum, { rate }) => sum + rate, 0);
  const all = (1 << model.places.length) - 1;
  let probability = Math.exp(-total);
  let rest = 1 - probability;
  let loss = 0;
  let variance = 0;
  for (let events = 1; events <= mostEvents; events += 1) {
    probability *= total / events;
    if (probability < leastLikely && events > total) break;
    rest -= probability;
    const random = randomOf(seed, events);
    let [sum, squares] = [0, 0];
    for (let year = 0; year < years; year += 1) {
      const weight = drawnLoss(model, sources, events, all, random);
      sum += weight;
      squares += weight * weight;
    }
    const mean = sum / years;
    loss += probability * mean;
    variance += (probability * probability * (squares / years - mean * mean)) / years;
  }
  const annualLoss = loss + Math.max(0, rest);
  const half = 1.96 * Math.sqrt(Math.max(0, variance));
  return { annualLoss, interval: [Math.max(0, annualLoss - half), Math.min(1, annualLoss + half)] };
};

const sourcesOf = ({ places, domains, packs }: DurabilityModel): Source[] => {
  const ofPlaces = places.flatMap(({ placeLosses, packLosses }, at) => [
    { rate: placeLosses, hits: 1 << at, onePack: false },
    { rate: packLosses * packs, hits: 1 << at, onePack: true },
  ]);
  const ofDomains = domains.map(({ domain, losses }) => {
    const hits = places.reduce((bits, place, at) => (place.domain === domain ? bits | (1 << at) : bits), 0);
    return { rate: losses, hits, onePack: false };
  });
  const sources = [...ofPlaces, ...ofDomains].filter(({ rate, hits }) => rate > 0 && hits !== 0);
  const total = sources.reduce((sum, { rate }) => sum + rate, 0);
  return sources.map((source) => {
    const share = source.rate / total;
    const drawn = (share + 1 / sources.length) / 2;
    return { ...source, drawn, weight: share / drawn };
  });
};

/** Draws a year with so many events: how much it counts if it loses a pack, else 0. */
const drawnLoss = (model: DurabilityModel, sources: readonly Source[], events: number, all: number, random: Random): number => {
  const outages: Outage[] = [];
  let weight = 1;
  let hits = 0;
  let known = -1;
  for (let event = 0; event < events; event += 1) {
    const source = oneOf(sources, random);
    weight *= source.weight;
    hits |= source.hits;
    const from = event === 0 ? { value: 0, weight: 1 } : drawTime(model, random);
    const pack = source.onePack ? drawPack(model.packs, known, random) : { value: -1, weight: 1 };
    if (source.onePack) known = pack.value;
    weight *= from.weight * pack.weight;
    const seen = random.next();
    for (const [at, { times }] of model.places.entries())
      if ((source.hits & (1 << at)) !== 0)
        outages.push({ hits: 1 << at, pack: pack.value, from: from.value, length: lengthOf(times, source, seen) });
  }
  return hits === all && losesAPack(outages, all) ? weight : 0;
};

const oneOf = (sources: readonly Source[], random: Random): Source => {
  let left = random.next();
  for (const source of sources) {
    left -= source.drawn;
    if (left < 0) return source;
  }
  return sources[sources.length - 1]!;
};

/** Half of the time near the year's first event, where outages can meet. */
const drawTime = (model: DurabilityModel, random: Random): { value: number; weight: number } => {
  const near = Math.max(...model.places.map(({ times }) => Object.values(times).reduce((sum, days) => sum + days, 0))) / daysInYear;
  if (near >= 0.5) return { value: random.next(), weight: 1 };
  const value = random.next() < 0.5 ? (1 + (2 * random.next() - 1) * near) % 1 : random.next();
  const isNear = value < near || value > 1 - near;
  return { value, weight: 1 / (0.5 + (isNear ? 0.5 / (2 * near) : 0)) };
};

/** Half of the time the pack that was hit before. */
const drawPack = (packs: number, before: number, random: Random): { value: number; weight: number } => {
  if (before === -1) return { value: random.between(0, packs - 1), weight: 1 };
  const value = random.next() < 0.5 ? before : random.between(0, packs - 1);
  return { value, weight: 1 / packs / (0.5 / packs + (value === before ? 0.5 : 0)) };
};

/** Nobody knows when between two looks the loss was: the time until it is seen is `seen`, anything from 0 to 1, of the time between them. */
const lengthOf = ({ noticeDays, replaceDays, coverDays, repairDays }: RepairTimes, { onePack }: Source, seen: number): number =>
  (onePack ? seen * coverDays + repairDays : seen * noticeDays + replaceDays) / daysInYear;

/** All copies of one pack can only be away together from a moment on at which the last of them goes. */
const losesAPack = (outages: readonly Outage[], all: number): boolean => {
  for (const { from, pack: last } of outages) {
    const packs = last === -1 ? [-1, ...outages.map(({ pack }) => pack)] : [last];
    for (const pack of packs) {
      let away = 0;
      for (const outage of outages)
        if ((outage.pack === -1 || outage.pack === pack) && (from - outage.from + 1) % 1 < outage.length) away |= outage.hits;
      if (away === all) return true;
    }
  }
  return false;
};
