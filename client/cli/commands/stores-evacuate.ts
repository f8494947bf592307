import { Failure } from "../../../core/domain/failure.ts";
import type { CommandAction } from "../program.ts";
import { relocate } from "../relocate-stores.ts";
import { sizeOption } from "../size-option.ts";

export const action: CommandAction = (input) => {
  const leaving = input.args[0]!;
  const [gone, empty] = [input.options.gone === true, input.options.empty === true];
  if (gone && empty) throw new Failure("UsageInvalid", "a store that is gone cannot be emptied: give --gone or --empty");
  const rate = sizeOption(input.options.rate, "--rate") ?? null;
  return relocate(input, { leaving, gone, empty, rate }, `stores/evacuate/${leaving}`);
};
