import type { CommandSpec } from "../command-spec.ts";

/** What keeps the copies, and where they go. */
export const storesSpecs: readonly CommandSpec[] = [
  {
    name: "stores",
    description: "the stores at a glance: what they hold of what they may, how well that is proven, and whether they answer",
    examples: ["stores", "stores --json"],
    prints: [
      '{"stores":[{"name","kind","used","allowance","packs","proven":{"packs","oldest"},"health"}]}',
      'where a store has archived packs also: "archived":{"packs","present","oldest"}',
    ],
    load: () => import("../commands/stores-status.ts"),
  },
  {
    name: "stores status",
    description: "the same",
    examples: ["stores status", "stores status --json"],
    prints: [
      '{"stores":[{"name","kind","used","allowance","packs","proven":{"packs","oldest"},"health"}]}',
      'where a store has archived packs also: "archived":{"packs","present","oldest"}',
    ],
    load: () => import("../commands/stores-status.ts"),
  },
  {
    name: "stores plan",
    description: "where everything that is kept lies or would go, why, what it costs a month, and what has no place; changes nothing",
    options: [{ flags: "--objects", description: "with --json: every object, with each choice's reason" }],
    examples: ["stores plan", "stores plan --json"],
    prints: [
      '{"perMonth","stores":[{"name","used","added","allowance","perMonth"}],"policies":[{"policy","objects","bytes","placed","refused","choices":[{"store","why","objects","adds"}],"passed":[{"store","code","why","objects"}]}]}',
      'with --objects also: "objects":[{"id","policy","placed","choices":[{"store","why","adds"}],"passed":[{"store","code","why"}],"why"}]',
    ],
    load: () => import("../commands/stores-plan.ts"),
  },
  {
    name: "stores forecast",
    description:
      "when allowances are full and what that costs, as the planner places what is to come; also for an estate that is not there",
    options: [
      { flags: "--days <number>", description: "how far to look", fallback: "365" },
      { flags: "--growth <size>", description: "stored bytes a day, as 50MB (default: as measured over 30 days)" },
      {
        flags: "--estate <size>",
        description: "what if so much were stored, as 10GB, in stores that are empty; growth is 0.5 % of it a day by default",
      },
      { flags: "--policy <name>", description: "with --estate: the policy that it is kept by (default: the first)" },
      { flags: "--html <file>", description: "write a page with a chart" },
    ],
    examples: ["stores forecast", "stores forecast --estate 10GB --html forecast.html", "stores forecast --growth 50MB --days 90 --json"],
    prints: [
      '{"days","estate","growthPerDay","stores":[{"name","allowance","used","fullOn","costsFrom"}],"policies":[{"policy","refusedOn","why"}],"timeline":[{"day","date","used":{"STORE":bytes},"perMonth"}]}',
    ],
    load: () => import("../commands/stores-forecast.ts"),
  },
  {
    name: "stores rehydrate",
    description: "have a store bring back what a snapshot needs from its archive tier; takes hours, and again says how far it is",
    args: [{ name: "<snapshot>", description: "a snapshot id" }],
    options: [
      { flags: "--store <name>", description: "all that is archived there (default: what can be read in no other store)" },
      {
        flags: "--priority <priority>",
        description: "how fast: high costs several times as much",
        choices: ["standard", "high"],
        fallback: "standard",
      },
      { flags: "--keep <duration>", description: "archived again no sooner than this", fallback: "7d" },
      { flags: "--wait", description: "stay until all of it can be read" },
    ],
    examples: [
      "stores rehydrate 20261124T021500Z-5f3a9c01d2e4",
      "stores rehydrate 20261124T021500Z-5f3a9c01d2e4 --store azure --priority high --json",
    ],
    prints: ['{"snapshot","done","stores":[{"store","packs","bytes","online"}]}'],
    load: () => import("../commands/stores-rehydrate.ts"),
  },
  {
    name: "stores evacuate",
    description: "leave a store: copy what would have too few copies without it to others, beside backups; again goes on where it was",
    args: [{ name: "<store>", description: "its name in the configuration" }],
    options: [
      { flags: "--rate <size>", description: "at most so much a second, as 5MB" },
      { flags: "--gone", description: "it is lost for good: nothing is read from it, and it no longer counts afterwards" },
      { flags: "--empty", description: "then delete from it what is safe elsewhere; no policy may name it any more" },
    ],
    examples: ["stores evacuate azure --rate 5MB", "stores evacuate old-disk --gone --json"],
    prints: ['{"store","objects","moved","bytes","emptied","left":{"REASON":objects}}'],
    load: () => import("../commands/stores-evacuate.ts"),
  },
  {
    name: "stores rebalance",
    description: "bring every copy that the policies ask for to its store, as after one has joined, beside backups",
    options: [{ flags: "--rate <size>", description: "at most so much a second, as 5MB" }],
    examples: ["stores rebalance --rate 5MB", "stores rebalance --json"],
    prints: ['{"objects","moved","bytes","left":{"REASON":objects}}'],
    load: () => import("../commands/stores-rebalance.ts"),
  },
];
