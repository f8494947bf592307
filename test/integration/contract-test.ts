import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store, StoreKind } from "../../core/stores/store.ts";
import { keepOrCompare, type Outcome } from "./store-matrix.ts";

/** Says that the store declares itself out of what the test asks, and how; what it does instead is tested all the same. */
export type DeclareOut = (how: string) => void;

export interface ContractRun {
  /** Registers one test of the contract. */
  readonly contractTest: (name: string, work: (declareOut: DeclareOut) => Promise<void>) => void;
  /** `open`, remembering which kind of store it opens. */
  readonly watching: <Args extends unknown[]>(open: (...args: Args) => Promise<Store>) => (...args: Args) => Promise<Store>;
  /** Registers the last test: that docs/stores.md has the matrix that this run makes. */
  readonly compareWithPage: () => void;
}

/** A run of the contract by one kind of store, which knows what each test has shown. */
export const contractRun = (): ContractRun => {
  const outcomes: Outcome[] = [];
  let kind: StoreKind | undefined;
  let registered = 0;
  return {
    contractTest: (name, work) => {
      registered += 1;
      test(name, async (t) => {
        let result = "yes";
        await work((how) => {
          result = `out: ${how}`;
          t.diagnostic(result);
        });
        if (kind !== undefined) outcomes.push({ kind, test: name, result });
      });
    },
    watching:
      (open) =>
      async (...args) => {
        const store = await open(...args);
        kind = store.kind;
        return store;
      },
    compareWithPage: () => {
      test("docs/stores.md has what this run has shown (npm run stores:matrix writes it)", () => {
        assert.deepEqual(keepOrCompare(outcomes, outcomes.length === registered), []);
      });
    },
  };
};
