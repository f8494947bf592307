import { join } from "node:path";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { ObjectProblem } from "../../core/domain/run.ts";
import { flipByte } from "./flip-byte.ts";
import type { DemoContext } from "./run-demo.ts";

/** Flips one bit of one stored pack, lets `verify` find it, and puts it right again. */
export const findFlippedByte = async ({ stage, site, dbgov, folder }: DemoContext, snapshot: string): Promise<boolean> =>
  await stage.step("One stored byte is flipped on purpose", async (progress) => {
    const { packs } = await snapshotObjects(await site.catalog(), snapshot);
    const pack = packs[0];
    if (pack === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} has no packs`);
    const { offset, undo } = await flipByte(join(folder, "store"), pack.id);
    stage.tell(`  byte ${offset} of pack ${pack.id.slice(0, 16)}… in store local`);
    progress.update("verifying");
    const found = await dbgov("verify", snapshot, "--json");
    const { problems = [] } = JSON.parse(found.stdout) as { problems?: ObjectProblem[] };
    progress.end();
    const detected = found.code === 5 && problems.some(({ store, object }) => store === "local" && object.endsWith(pack.id));
    for (const { store, message } of problems.slice(0, 2)) stage.done(`found, in store ${store}: ${message}`);
    await undo();
    progress.update("verifying again");
    const again = await dbgov("verify", snapshot, "--json");
    if (again.code !== 0)
      throw new Failure("VerificationFailed", `the byte was put right, and verify still finds something: ${again.stdout}`);
    stage.done("put right, verified again");
    return detected;
  });
