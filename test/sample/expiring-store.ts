import type { Failure } from "../../core/domain/failure.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Renewal, Store } from "../../core/stores/store.ts";

const dayMs = 86_400_000;

/** The account behind a simulated store, for a test to spend and to fill. */
export interface SimulatedAccount {
  /** What one day of the contract costs comes off it. */
  balance: number;
  /** The contract's end, in milliseconds since 1970. */
  until: number;
  readonly pricePerDay: number;
  /** How long one renewal makes the contract, in days from now. */
  readonly term: number;
  /** Renewals fail with this. */
  refuse?: Failure;
  /** How often the contract was extended. */
  renewals: number;
}

/**
 * A simulator: a directory that keeps its objects under a contract with an end and an account with money, as Sia's contracts and Filecoin's
 * lockup have them. A renewal extends the contract for as many days of its term as the balance pays. For tests of what follows from that.
 */
export const openExpiringStore = (name: string, path: string, account: SimulatedAccount, now: () => number = Date.now): Store => {
  const lifted = (): Renewal => ({
    what: "the storage contract",
    until: new Date(account.until).toISOString(),
    fundedUntil: new Date(Math.max(account.until, now()) + (account.balance / account.pricePerDay) * dayMs).toISOString(),
    renewable: true,
  });
  return Object.assign(openDirectoryStore({ kind: "directory", name, domain: name, path }), {
    renewals: async (): Promise<Renewal[]> => [lifted()],
    renew: async (_: AbortSignal, margin: { readonly days: number }): Promise<Renewal[]> => {
      if (account.refuse !== undefined) throw account.refuse;
      if (account.until >= now() + margin.days * dayMs) return [];
      const wanted = Math.ceil((now() + account.term * dayMs - account.until) / dayMs);
      const paid = Math.min(wanted, Math.floor(account.balance / account.pricePerDay));
      if (paid <= 0) return [];
      account.balance -= paid * account.pricePerDay;
      account.until += paid * dayMs;
      account.renewals += 1;
      return [lifted()];
    },
  });
};
