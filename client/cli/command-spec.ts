import type { CommandAction } from "./program.ts";

export interface CommandSpec {
  /** One word, or two for a verb of the command that has the first. */
  readonly name: string;
  readonly description: string;
  readonly args?: readonly { readonly name: string; readonly description: string }[];
  readonly options?: readonly {
    readonly flags: string;
    readonly description: string;
    readonly choices?: readonly string[];
    readonly fallback?: string;
  }[];
  /** False for the few that need no configuration. */
  readonly config?: false;
  readonly examples: readonly string[];
  /** The object that `--json` prints: its keys, in order. `ACTION: ` before it where that depends on the first argument. A contract for programs. */
  readonly prints: readonly string[];
  readonly load: () => Promise<{ readonly action: CommandAction }>;
}
