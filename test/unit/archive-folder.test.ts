import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeArchiveFolder } from "../../core/databases/postgres/archive-folder.ts";

test("folders that killed restores left go once they are too old to be in use, and nothing else does", async (t) => {
  const temporary = await mkdtemp(join(tmpdir(), "archive-"));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  t.after(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(temporary, { recursive: true, force: true });
  });
  const lastWeek = new Date(Date.now() - 8 * 24 * 60 * 60_000);
  for (const name of ["dbgov-restore-left", "dbgov-restore-young", "other"]) await mkdir(join(temporary, name));
  for (const name of ["dbgov-restore-left", "other"]) await utimes(join(temporary, name), lastWeek, lastWeek);
  const made = await makeArchiveFolder();
  assert.deepEqual((await readdir(temporary)).sort(), [basename(made), "dbgov-restore-young", "other"].sort());
});
