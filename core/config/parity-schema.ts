import { z } from "zod";
import { name } from "./fields.ts";

/** Erasure-coded parity beside whole copies. */
export const parity = z.strictObject({
  group: z
    .int()
    .min(2)
    .max(32)
    .default(8)
    .describe(
      "so many packs share parity; they wait until there are so many. Larger groups cost less, and need more good copies to rebuild one",
    ),
  pieces: z
    .int()
    .min(1)
    .max(8)
    .default(2)
    .describe(
      "so many packs of a group can be rebuilt though no store has a copy of them any more; each piece is as large as the group's largest pack",
    ),
  stores: z.array(name).min(1).describe("where the pieces go, one after the other; best in failure domains that hold no copies"),
});
