import { z } from "zod";
import { duration } from "./fields.ts";

/** How copies are challenged and repaired, and what stores end by themselves is renewed. */
export const durability = z.strictObject({
  every: duration.default("6h").describe("how often a part of the copies is challenged, and what was found bad is replaced"),
  coverDays: z
    .int()
    .min(1)
    .max(366)
    .default(30)
    .describe(
      "within so many days every copy in every store is challenged; what is found wrong is found that late at most. A store that is doubted is covered up to eight times as fast",
    ),
  blocks: z
    .int()
    .min(1)
    .max(1_000)
    .default(4)
    .describe("random blocks of 64 KiB that a store is asked for of each pack; smaller objects are read whole"),
  renewal: z
    .strictObject({
      every: duration.default("1d").describe("how often stores are asked what their services end by themselves"),
      marginDays: z
        .int()
        .min(1)
        .default(30)
        .describe("what ends within so many days is renewed; money that does not reach as far is an alarm"),
    })
    .prefault({})
    .describe("what services of stores end by themselves: contracts, lockups, expiry dates"),
});
