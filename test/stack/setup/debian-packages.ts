import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../../core/domain/failure.ts";
import type { Progress } from "../progress.ts";
import { type Installation, withTemporaryFolder } from "./cache.ts";
import { runCommand } from "./run-command.ts";

const suite = "trixie";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

interface DebianPrograms {
  readonly component: string;
  /** Packages with every library that they need, the C library among them: they run on older systems too. */
  readonly packages: readonly string[];
  /** Paths of programs below `usr`, and what they are to be called. */
  readonly programs: readonly (readonly [path: string, called: string])[];
}

const redis: DebianPrograms = {
  component: "redis",
  packages: [
    ...["redis-server", "redis-tools"],
    ...["libc6", "libgcc-s1", "libstdc++6", "libatomic1", "libjemalloc2", "liblzf1", "zlib1g", "libsystemd0", "libssl3t64"],
    ...["libcap2", "libzstd1"],
  ],
  programs: [
    ["bin/redis-check-rdb", "redis-server"],
    ["bin/redis-cli", "redis-cli"],
  ],
};

const pgbouncer: DebianPrograms = {
  component: "pgbouncer",
  packages: [
    ...["pgbouncer", "libc6", "libgcc-s1", "libcares2", "libevent-2.1-7t64", "libpam0g", "libaudit1", "libcap-ng0", "libssl3t64"],
    ...["libsystemd0", "libcap2", "libzstd1", "zlib1g"],
  ],
  programs: [["sbin/pgbouncer", "pgbouncer"]],
};

/** The client programs that the wheel has cannot speak TLS. */
const postgresClient: DebianPrograms = {
  component: "postgres-client",
  packages: [
    ...["postgresql-client-17", "libpq5", "libc6", "libgcc-s1", "libssl3t64", "libldap2", "libsasl2-2", "libgssapi-krb5-2", "libkrb5-3"],
    ...["libk5crypto3", "libcom-err2", "libkrb5support0", "libkeyutils1", "zlib1g", "liblz4-1", "libzstd1"],
  ],
  programs: [
    ["lib/postgresql/17/bin/pg_dump", "pg_dump"],
    ["lib/postgresql/17/bin/pg_restore", "pg_restore"],
  ],
};

/** Starts a program by the loader and the libraries that lie beside it. */
const starter = (program: string, called: string): string =>
  [
    "#!/bin/sh",
    'root=$(dirname "$(readlink -f "$0")")/../root',
    'for loader in "$root"/usr/lib/*/ld-linux*.so.*; do break; done',
    `exec "$loader" --library-path "$(dirname "$loader")" --argv0 ${called} "$root/usr/${program}" "$@"`,
    "",
  ].join("\n");

type Apt = (doing: string, ...args: readonly string[]) => Promise<string>;

/** apt-get with lists of its own: nothing of the system is changed. What it fetches comes into `temporary`. */
const aptIn = async (temporary: string, component: string, source: string, progress: Progress): Promise<Apt> => {
  const state = join(temporary, "apt");
  for (const folder of ["lists/partial", "cache/archives/partial"]) await mkdir(join(state, folder), { recursive: true });
  await writeFile(join(state, "status"), "");
  await writeFile(join(state, "sources.list"), `${source}\n`);
  const configuration = join(state, "apt.conf");
  await writeFile(
    configuration,
    [
      `Dir::Etc::sourcelist "${state}/sources.list";`,
      'Dir::Etc::sourceparts "/dev/null";',
      `Dir::State::lists "${state}/lists";`,
      `Dir::State::status "${state}/status";`,
      `Dir::Cache "${state}/cache";`,
      // What is fetched goes into a folder that only its owner can enter.
      'APT::Sandbox::User "root";',
      "",
    ].join("\n"),
  );
  return (doing, ...args) =>
    runCommand(
      { component, doing, command: "apt-get", args: ["-q", ...args], cwd: temporary, env: { APT_CONFIG: configuration } },
      progress,
    );
};

/** Where this machine gets Debian's packages from. Throws `ClientToolMissing` on a machine that gets none. */
const mirror = async (component: string): Promise<string> => {
  const args = ["indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"];
  const { stdout } = await promisify(execFile)("apt-get", args).catch(() => ({ stdout: "" }));
  const found = stdout.split("\n").find((uri) => /\/debian\/?$/.test(uri));
  if (found === undefined) throw new Failure("ClientToolMissing", `${component}: apt of this machine names no mirror of Debian's packages`);
  return found;
};

/**
 * Programs as Debian's newer release has them, fetched and checked by apt with lists of its own, and unpacked: nothing of the
 * system is changed. Not pinned to one version: Debian keeps only the newest of a release, and its signature is checked.
 */
const debianInstallation = ({ component, packages, programs }: DebianPrograms): Installation => ({
  component,
  folder: `${component}-debian-${suite}`,
  announcement: `fetching ${packages[0]} from Debian ${suite}`,
  fill: async (into, progress) => {
    await withTemporaryFolder(async (temporary) => {
      const apt = await aptIn(temporary, component, `deb [signed-by=${keyring}] ${await mirror(component)} ${suite} main`, progress);
      await apt("reading Debian's list of packages", "update");
      await apt(`fetching ${packages[0]}`, "download", ...packages);
      const files = (await readdir(temporary)).filter((name) => name.endsWith(".deb"));
      if (files.length < packages.length) throw new Failure("ClientToolMissing", `${component}: apt-get ended without all of its packages`);
      for (const file of files)
        await runCommand(
          { component, doing: `unpacking ${file}`, command: "dpkg-deb", args: ["-x", join(temporary, file), join(into, "root")] },
          progress,
        );
    });
    await mkdir(join(into, "bin"));
    for (const [program, called] of programs) {
      await writeFile(join(into, "bin", called), starter(program, called));
      await chmod(join(into, "bin", called), 0o755);
    }
  },
});

export const redisInstallation = (): Installation => debianInstallation(redis);

export const pgbouncerInstallation = (): Installation => debianInstallation(pgbouncer);

export const postgresClientInstallation = (): Installation => debianInstallation(postgresClient);

/** PostgreSQL's own regression tests, as they are in Debian's source package: `sql`, `data` and `parallel_schedule`. */
export const postgresRegressionInstallation = (): Installation => ({
  component: "postgres-regression",
  folder: "postgres-regression-15",
  announcement: "fetching the source of postgresql-15 from Debian bookworm, for its regression tests",
  fill: async (into, progress) => {
    await withTemporaryFolder(async (temporary) => {
      const component = "postgres-regression";
      const source = `deb-src [signed-by=${keyring}] ${await mirror(component)} bookworm main`;
      const apt = await aptIn(temporary, component, source, progress);
      await apt("reading Debian's list of packages", "update");
      await apt("fetching postgresql-15", "source", "--download-only", "postgresql-15");
      const file = (await readdir(temporary)).find((name) => /\.orig\.tar\.\w+$/.test(name));
      if (file === undefined) throw new Failure("ClientToolMissing", `${component}: apt-get ended without the source`);
      const args = ["-xf", join(temporary, file), "-C", into, "--strip-components=4", "--wildcards", "*/src/test/regress/*"];
      await runCommand({ component, doing: `unpacking ${file}`, command: "tar", args }, progress);
    });
  },
});
