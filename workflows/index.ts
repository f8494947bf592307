/** What a worker on the `orchestrate` queue runs. */
export { anchor } from "./anchor.ts";
export { approval } from "./approval.ts";
export { backup } from "./backup.ts";
export { configuration } from "./configuration.ts";
export { drill } from "./drill.ts";
export { evacuate } from "./evacuate.ts";
export { hold } from "./hold.ts";
export { onSchedule } from "./on-schedule.ts";
export { publish } from "./publish.ts";
export { renewal } from "./renewal.ts";
export { repair } from "./repair.ts";
export { retention } from "./retention.ts";
export { sweep } from "./sweep.ts";
export { timestamp } from "./timestamp.ts";
export { verify } from "./verify.ts";
