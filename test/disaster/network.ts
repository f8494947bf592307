import type { StoreKind } from "../../core/stores/store.ts";

/** A store that is lost and comes back, and what stands for its network here. */
export interface LosableStore {
  readonly name: string;
  readonly kind: StoreKind;
  /** What answers instead of the service that one pays: for the page. */
  readonly stand: string;
  /** Whether that is written for tests, and not the network's own software or another that many use. */
  readonly simulated: boolean;
  /** The rest of its entry in the configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The configuration's secrets, by the variables that it names. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What who recovers has to know beside the kit. */
  readonly recovery: Readonly<Record<string, string>>;
  lose(): Promise<void>;
  bringBack(): Promise<void>;
  /** Ends what runs for it beside the stack's components. */
  close?(): Promise<void>;
}
