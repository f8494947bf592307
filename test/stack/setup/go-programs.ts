import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { withOneOf } from "../lock.ts";
import { withCompiler } from "./c-compiler.ts";
import { cacheFolder, type Installation, withTemporaryFolder } from "./cache.ts";
import { runCommand } from "./run-command.ts";

interface GoProgram {
  readonly component: string;
  /** Module folder beside this one: its go.mod and go.sum pin and check every source. */
  readonly module: string;
  /** What its folder is called, where another program is built from the same module. @default the module's name */
  readonly name?: string;
  readonly package: string;
  readonly executable: string;
  readonly version: string;
  readonly why: string;
  readonly sources: readonly string[];
  /** Build tags. @default none */
  readonly tags?: readonly string[];
  /** Holds C sources, so that a C compiler is needed too. @default false */
  readonly c?: true;
}

export const kuboProgram: GoProgram = {
  component: "ipfs",
  module: "kubo",
  package: "github.com/ipfs/kubo/cmd/ipfs",
  executable: "ipfs",
  version: "0.43.0",
  why: "the IPFS node",
  sources: ["go.mod", "go.sum"],
};

export const ferretProgram: GoProgram = {
  component: "mongodb",
  module: "ferretdb",
  package: ".",
  executable: "ferretdb",
  version: "1.24.2",
  why: "the MongoDB wire server",
  sources: ["go.mod", "go.sum", "main.go"],
};

/** For the bench, which measures against it; not part of the stack. */
export const ageProgram: GoProgram = {
  component: "age",
  module: "age",
  package: "filippo.io/age/cmd/age",
  executable: "age",
  version: "1.3.1",
  why: "the encryption that the bench measures against",
  sources: ["go.mod", "go.sum"],
};

/** For the bench, which measures against it; not part of the stack. */
export const kopiaProgram: GoProgram = {
  component: "kopia",
  module: "kopia",
  package: "github.com/kopia/kopia",
  executable: "kopia",
  version: "0.23.1",
  why: "a backup tool that the bench measures against",
  sources: ["go.mod", "go.sum"],
};

export const resticProgram: GoProgram = {
  component: "restic",
  module: "restic",
  package: "github.com/restic/restic/cmd/restic",
  executable: "restic",
  version: "0.19.1",
  why: "a backup tool that the bench measures against",
  sources: ["go.mod", "go.sum"],
};

/** For the bench, which feeds it to both; not part of the stack. Its module has no version tags that Go understands. */
export const mongodumpProgram: GoProgram = {
  component: "mongodump",
  module: "mongodump",
  package: "github.com/mongodb/mongo-tools/mongodump/main",
  executable: "mongodump",
  version: "100.6.1",
  why: "the dump of MongoDB that the bench measures against",
  sources: ["go.mod", "go.sum"],
};

/** Judges our exports; not part of the stack. Of the same module as mongodump. */
export const mongorestoreProgram: GoProgram = {
  ...mongodumpProgram,
  component: "mongorestore",
  name: "mongorestore",
  package: "github.com/mongodb/mongo-tools/mongorestore/main",
  executable: "mongorestore",
  why: "the reader of exports of MongoDB",
};

/** For checking docker-compose.yml where there is no Docker; not part of the stack. */
export const composeProgram: GoProgram = {
  component: "compose",
  module: "compose",
  package: "github.com/docker/compose/v2/cmd",
  executable: "docker-compose",
  version: "2.40.3",
  why: "the judge of docker-compose.yml",
  sources: ["go.mod", "go.sum"],
};

/** Reads our log with other people's code; not part of the stack. */
export const tlogProgram: GoProgram = {
  component: "tlog",
  module: "tlog",
  package: ".",
  executable: "tlog",
  version: "0.8.0",
  why: "a reader of transparency logs that shares no code with ours",
  sources: ["go.mod", "go.sum", "main.go"],
};

/** A Storj network in one process, and its S3 gateway. The third tag leaves out web pages, the others C code that has an equal in Go. */
export const storjProgram: GoProgram = {
  component: "storj",
  module: "storj",
  package: ".",
  executable: "storj",
  version: "1.162.3",
  why: "a Storj network with its S3 gateway",
  sources: ["go.mod", "go.sum", "main.go", "control.go"],
  tags: ["netgo", "osusergo", "noembed"],
  c: true,
};

const moduleFolder = (program: GoProgram) => join(import.meta.dirname, "..", "go", program.module);

const fingerprint = (program: GoProgram): string => {
  const hash = createHash("sha256");
  for (const source of program.sources) hash.update(readFileSync(join(moduleFolder(program), source)));
  return hash.digest("hex").slice(0, 8);
};

/** A program built by the Go toolchain from sources that go.sum pins. At most two builds run at a time on a machine. */
export const goInstallation = (program: GoProgram): Installation => ({
  component: program.component,
  folder: `${program.name ?? program.module}-${program.version}-${fingerprint(program)}`,
  announcement: `building ${program.module} ${program.version} with Go: ${program.why} (minutes the first time, it comes as source only)`,
  fill: async (into, progress) => {
    await runCommand({ component: program.component, doing: "looking for Go", command: "go", args: ["version"] }, progress).catch(
      (cause) => {
        throw new Failure("ClientToolMissing", `${program.component}: the setup needs the Go toolchain on the PATH, and found none`, {
          cause,
        });
      },
    );
    const slots = ["go-build-1.lock", "go-build-2.lock"].map((name) => join(cacheFolder(), name));
    await withOneOf(slots, () =>
      withTemporaryFolder(async (temporary) => {
        const { component, c, tags = [], package: built } = program;
        const cwd = moduleFolder(program);
        const compiler = c === undefined ? {} : await withCompiler(component, temporary, progress);
        const env = { GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off", CGO_ENABLED: c === undefined ? "0" : "1", ...compiler };
        const tagged = tags.length === 0 ? [] : ["-tags", tags.join(",")];
        // Fetches the sources that are compiled, and not those of every module that is named somewhere.
        const list = ["list", "-deps", ...tagged, built];
        await runCommand({ component, doing: "fetching sources", command: "go", args: list, cwd, env }, progress);
        // What a debugger would want is stripped in the end, and costs a quarter of the time when it is made.
        const args = [
          "build",
          "-trimpath",
          ...tagged,
          "-gcflags=all=-dwarf=false",
          "-ldflags",
          "-s -w",
          "-o",
          join(into, program.executable),
          built,
        ];
        await runCommand({ component, doing: `building ${program.module} ${program.version}`, command: "go", args, cwd, env }, progress);
      }),
    );
  },
});
