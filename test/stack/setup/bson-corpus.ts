import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { type Installation, withTemporaryFolder } from "./cache.ts";
import { runCommand } from "./run-command.ts";
import { findPython } from "./wheels.ts";

const release = "pymongo-4.20.0";
const pin = "pymongo==4.20.0 --hash=sha256:f773b0aec28687587cdeda490463a82debc4566a4a3620dcc8dada9d2c0a1acd\n";

/**
 * MongoDB's BSON corpus, one JSON file for each type, from the sources of its Python driver. Not part of this repository: its license
 * is not one of a program.
 */
export const bsonCorpusInstallation = (): Installation => ({
  component: "bson-corpus",
  folder: `bson-corpus-${release}`,
  announcement: `fetching MongoDB's BSON corpus with the sources of ${release} from the Python package index`,
  fill: async (into, progress) => {
    const component = "bson-corpus";
    const command = await findPython(component, progress);
    await withTemporaryFolder(async (temporary) => {
      const requirements = join(temporary, "requirements.txt");
      await writeFile(requirements, pin);
      const choice = ["--no-deps", "--no-binary=pymongo", "--require-hashes", "--dest", temporary, "-r", requirements];
      const args = ["-m", "pip", "download", "--quiet", ...choice];
      const env = { TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
      await runCommand({ component, doing: "fetching the sources", command, args, env, growing: temporary }, progress);
      const archive = join(temporary, `${release}.tar.gz`);
      await runCommand({ component, doing: "unpacking", command, args: ["-m", "tarfile", "-e", archive, temporary] }, progress);
      const corpus = join(temporary, release, "test", "bson_corpus");
      const files = await readdir(corpus).catch((cause) => {
        throw new Failure("StackFailed", `${component}: ${release} has no corpus where it is expected`, { cause });
      });
      for (const file of files) await rename(join(corpus, file), join(into, file));
    });
  },
});
