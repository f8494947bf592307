import type { BackupResult } from "../../core/domain/run.ts";

/** What `dbgov demo --json` prints last; the README explains it. */
export interface DemoReport {
  readonly databases: readonly BackupResult[];
  readonly checkpoint: { readonly size: number; readonly root: string };
  readonly anchor: {
    readonly chainId: number;
    readonly contract: string;
    readonly transaction: string;
    readonly block: number;
    readonly finalized: boolean;
  };
  readonly proof: { readonly verified: boolean };
  readonly corruption: { readonly detected: boolean };
  readonly drills: readonly { readonly database: string; readonly identical: boolean; readonly seconds: number }[];
  readonly sweep: { readonly pass: number; readonly fail: number; readonly notApplicable: number; readonly inconclusive: number };
  readonly ui: string;
}
