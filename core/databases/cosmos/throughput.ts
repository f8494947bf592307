import type { Address } from "./address.ts";
import { exchange } from "./exchange.ts";
import { isNotOffered } from "./failures.ts";
import { pagesOf } from "./feed.ts";
import type { Budget } from "./request-units.ts";

/** What a container, or a database for its containers together, is provisioned with, in request units per second. */
export type Throughput = { readonly manual: number } | { readonly autoscaleMax: number };

export const perSecondOf = (throughput: Throughput): number => ("manual" in throughput ? throughput.manual : throughput.autoscaleMax);

/** By the resource id (`_rid`) of the container or database; undefined where the server has no such settings. */
export async function readThroughput(
  address: Address,
  budget: Budget,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Throughput> | undefined> {
  const found = new Map<string, Throughput>();
  try {
    const send = (headers: Record<string, string>) => exchange(address, budget, { method: "GET", resource: ["offers"], headers }, signal);
    for await (const { items } of pagesOf("Offers", send)) {
      for (const item of items) {
        const offer = JSON.parse(item.toString("utf8")) as Offer;
        const throughput = throughputOf(offer);
        if (offer.offerResourceId !== undefined && throughput !== undefined) found.set(offer.offerResourceId, throughput);
      }
    }
    return found;
  } catch (error) {
    if (isNotOffered(error)) return undefined;
    throw error;
  }
}

interface Offer {
  readonly offerResourceId?: string;
  readonly content?: {
    readonly offerThroughput?: number;
    readonly offerAutopilotSettings?: { readonly maxThroughput?: number } | null;
  };
}

function throughputOf({ content }: Offer): Throughput | undefined {
  const most = content?.offerAutopilotSettings?.maxThroughput;
  if (most !== undefined && most > 0) return { autoscaleMax: most };
  const manual = content?.offerThroughput;
  return manual !== undefined && manual > 0 ? { manual } : undefined;
}

/** The headers that provision what is created. */
export const throughputHeaders = (throughput: Throughput): Record<string, string> =>
  "manual" in throughput
    ? { "x-ms-offer-throughput": String(throughput.manual) }
    : { "x-ms-cosmos-offer-autopilot-settings": JSON.stringify({ maxThroughput: throughput.autoscaleMax }) };
