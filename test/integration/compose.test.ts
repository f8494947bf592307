import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { progressToStderr } from "../stack/progress.ts";
import { installed, isInstalled } from "../stack/setup/cache.ts";
import { composeProgram, goInstallation } from "../stack/setup/go-programs.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  command?: string[] | null;
  environment?: Record<string, string>;
  healthcheck?: object;
  ports?: { host_ip?: string; published: string; target: number }[];
  restart?: string;
  volumes?: { type: string; source: string }[];
}

const required = [...readFileSync(join(root, ".env.example"), "utf8").matchAll(/^([A-Z0-9_]+)=$/gm)].map((match) => match[1]!);

const installation = goInstallation(composeProgram);
const skip =
  isInstalled(installation) || process.env.DBGOV_FULL === "1"
    ? false
    : "docker compose is not built here, which takes minutes: set DBGOV_FULL=1 to build it";

describe("docker-compose.yml", () => {
  const judged = (name: string, check: () => Promise<void>) => it(name, { skip }, check);
  /** Nothing of the caller's environment but the PATH may fill a variable in. */
  const config = async (variables: Record<string, string>): Promise<Record<string, Service>> => {
    const program = join(await installed(installation, progressToStderr), composeProgram.executable);
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, COMPOSE_DISABLE_ENV_FILE: "1", ...variables };
    const { stdout } = await run(program, ["--project-directory", root, "config", "--format", "json"], { cwd: root, env });
    return (JSON.parse(stdout) as { services: Record<string, Service> }).services;
  };
  const all = () => config(Object.fromEntries(required.map((name) => [name, `secret-of-${name}`])));

  judged("is refused while any one of its secrets is missing, by the name of the variable", async () => {
    assert.ok(required.length >= 9);
    for (const missing of required) {
      const others = Object.fromEntries(required.filter((name) => name !== missing).map((name) => [name, "x"]));
      await assert.rejects(config(others), new RegExp(`required variable ${missing} is missing a value`));
    }
  });

  judged("has every component, each with a fixed version and a health check", async () => {
    const services = await all();
    for (const name of [
      "temporal",
      "temporal-ui",
      "postgres",
      "mongodb",
      "redis",
      "azurite",
      "ipfs-1",
      "ipfs-2",
      "ipfs-3",
      "anvil",
      "arlocal",
      "worker",
    ])
      assert.ok(services[name], `${name} is missing`);
    for (const [name, service] of Object.entries(services)) {
      assert.match(service.image ?? "", /:v?\d/, `${name} has no version`);
      const once = service.restart?.startsWith("on-failure");
      assert.ok(once || service.healthcheck !== undefined, `${name} has no health check`);
    }
  });

  judged("publishes on loopback only, and no port twice", async () => {
    const ports = Object.values(await all()).flatMap((service) => service.ports ?? []);
    assert.ok(ports.length >= 10);
    assert.deepEqual(new Set(ports.map((port) => port.host_ip)), new Set(["127.0.0.1"]));
    assert.equal(new Set(ports.map((port) => port.published)).size, ports.length);
  });

  judged("takes each password from the environment", async () => {
    for (const [name, service] of Object.entries(await all()))
      for (const [variable, value] of Object.entries(service.environment ?? {}))
        if (/PASSWORD|PWD|KEY|ACCOUNTS/.test(variable)) assert.match(value, /secret-of-/, `${name}: ${variable}`);
  });

  judged("names files that are there", async () => {
    for (const service of Object.values(await all())) {
      for (const volume of service.volumes ?? [])
        if (volume.type === "bind" && !volume.source.endsWith("dbgov.yaml")) assert.ok(statSync(volume.source).isFile(), volume.source);
      if (service.build !== undefined) assert.ok(statSync(resolve(service.build.context, service.build.dockerfile)).isFile());
    }
  });
});

describe("deploy/", () => {
  it("has scripts that a shell can read", async () => {
    const folder = join(root, "deploy", "compose");
    for (const name of await readdir(folder)) if (name.endsWith(".sh")) await run("sh", ["-n", join(folder, name)]);
  });

  it("copies into the worker's image what the ignore file lets through, all of which exists", async () => {
    const image = readFileSync(join(root, "deploy", "worker.Containerfile"), "utf8");
    const copied = [...image.matchAll(/^COPY (.+) \S+$/gm)].flatMap((match) => match[1]!.split(" "));
    const letThrough = readFileSync(join(root, "deploy", "worker.Containerfile.dockerignore"), "utf8").match(/(?<=^!).+$/gm) ?? [];
    assert.deepEqual(copied.toSorted(), [...letThrough].toSorted());
    for (const name of copied) assert.ok(statSync(join(root, name)), name);
  });
});
