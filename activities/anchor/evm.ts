/** Loaded when there is something to anchor: what speaks with chains takes megabytes. */
export const evm = () => import("../../core/ledger/evm.ts");
