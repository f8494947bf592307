import { join } from "node:path";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { VerifyFindings } from "../../core/domain/run.ts";
import { flipByte } from "./flip-byte.ts";
import type { DemoContext } from "./run-demo.ts";

/** Flips one bit of one stored pack, and lets `verify` find it, name it, and replace it from a good copy. */
export const findFlippedByte = async ({ stage, site, dbgov, folder }: DemoContext, snapshot: string): Promise<boolean> =>
  await stage.step("One stored byte is flipped on purpose", async (progress) => {
    const { packs } = await snapshotObjects(await site.catalog(), snapshot);
    const pack = packs[0];
    if (pack === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} has no packs`);
    const offset = await flipByte(join(folder, "store"), pack.id);
    stage.tell(`  byte ${offset} of pack ${pack.id.slice(0, 16)}… in store local`);
    progress.update("verifying");
    const found = await dbgov("verify", snapshot, "--json");
    const { problems = [], repairs = [] } = JSON.parse(found.stdout) as Partial<VerifyFindings>;
    progress.end();
    const detected = found.code === 5 && problems.some(({ store, object }) => store === "local" && object.endsWith(pack.id));
    for (const { store, message } of problems.slice(0, 2)) stage.done(`found, in store ${store}: ${message}`);
    for (const { store, object, from } of repairs.filter((repair) => repair.object.endsWith(pack.id)))
      stage.done(`${object.slice(0, 22)}… in ${store} replaced by the good copy from ${from}`);
    progress.update("verifying again");
    const again = await dbgov("verify", snapshot, "--json");
    if (again.code !== 0)
      throw new Failure("VerificationFailed", `the bad copy was replaced, and verify still finds something: ${again.stdout}`);
    stage.done("verified again: nothing is wrong");
    return detected;
  });
