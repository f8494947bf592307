import type { CommandAction } from "../program.ts";
import { relocate } from "../relocate-stores.ts";
import { sizeOption } from "../size-option.ts";

export const action: CommandAction = (input) =>
  relocate(input, { leaving: null, gone: false, empty: false, rate: sizeOption(input.options.rate, "--rate") ?? null }, "stores/rebalance");
