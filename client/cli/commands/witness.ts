import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { formatWitnessKey } from "../../../core/ledger/verify/cosignature.ts";
import { type NoteKey, parseNoteKey } from "../../../core/ledger/verify/note.ts";
import { signerFromSeed } from "../../../core/repository/signing.ts";
import { serveWitness } from "../../witness-server.ts";
import { listenAddress, urlOf } from "../listen-address.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bold, good, say } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  const [verb] = input.args;
  if (verb === "init") return await init(input);
  if (verb === "run") return await run(input);
  throw new Failure("UsageInvalid", `witness takes init or run (is "${verb ?? ""}")`);
};

const init = async ({ options, json }: CommandInput): Promise<number> => {
  const path = String(options.key);
  const name = nameOf(options.name);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${randomBytes(32).toString("hex")}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw new Failure("UsageInvalid", `the witness's key ${path} cannot be made (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  const publicKey = formatWitnessKey((await witnessOf(path, name)).key);
  if (json) process.stdout.write(`${JSON.stringify({ name, key: path, publicKey })}\n`);
  else say(`${good("✓")} ${bold(path)} signs as ${name}; give the operators of logs its public key:\n  ${publicKey}`);
  return 0;
};

const run = async ({ options, json, signal }: CommandInput): Promise<number> => {
  const witness = await witnessOf(String(options.key), nameOf(options.name));
  const { host, port } = listenAddress(String(options.listen));
  const onAnswer = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const serving = await serveWitness({ witness, logs: logsOf(options.log), state: String(options.state), host, port, onAnswer });
  const url = urlOf(host, serving.port);
  const publicKey = formatWitnessKey(witness.key);
  say(json ? JSON.stringify({ ready: true, url, publicKey }) : `${good("✓")} cosigning as ${publicKey} at ${url} (Ctrl-C to stop)`);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  await serving.close();
  return 0;
};

const nameOf = (text: string | boolean | undefined): string => {
  if (typeof text === "string" && /^[^\s+]{1,256}$/u.test(text)) return text;
  throw new Failure("UsageInvalid", "--name must be the witness's name, as witness.example/w1, without spaces and plus signs");
};

const witnessOf = async (path: string, name: string) => {
  let seed: string;
  try {
    seed = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new Failure("UsageInvalid", `the witness's key ${path} cannot be read (witness init makes one)`, { cause });
  }
  if (!/^[0-9a-f]{64}$/.test(seed)) throw new Failure("UsageInvalid", `${path} is not a key of 64 hex digits`);
  const signer = signerFromSeed(seed);
  return {
    key: { name, publicKey: new Uint8Array(signer.publicKey) },
    sign: signer.sign,
  };
};

const logsOf = (text: string | boolean | undefined): NoteKey[] => {
  const texts = typeof text === "string" ? text.split(",").map((one) => one.trim()) : [];
  const keys = texts.map((one) => parseNoteKey(one));
  const wrong = texts.find((_, at) => keys[at] === undefined);
  if (wrong !== undefined)
    throw new Failure("UsageInvalid", `--log names "${wrong.slice(0, 80)}", which is no log's key as name+id+base64`);
  if (keys.length === 0) throw new Failure("UsageInvalid", "--log must name the keys of the logs that are cosigned");
  return keys as NoteKey[];
};
