import { spawn } from "node:child_process";
import { formatDuration } from "../domain/duration.ts";
import { Failure } from "../domain/failure.ts";
import { keyIdOf, type Signer, verifySignature } from "../repository/signing.ts";

/** Milliseconds that one signature may take: a card may want a finger on it. */
const timeoutMs = 60_000;
const largestAnswer = 4_096;

/**
 * Signs by a program, so that the key need not be in this process: a key management service, a hardware token, an agent. The program is started for each signature,
 * without a shell, in `folder`; it gets the message on its standard input, writes the 64-byte signature in base64 to its standard output, and ends with 0.
 * Throws `KeyUnavailable` when it does not, or when its signature is not of this message and key; then nothing was signed.
 */
export const signerByProgram = (
  { command, publicKey: hex }: { readonly command: readonly string[]; readonly publicKey: string },
  folder: string,
): Signer => {
  const publicKey = new Uint8Array(Buffer.from(hex, "hex"));
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: async (message) => {
      const { output, complaint, code } = await run(command, folder, message);
      const name = `the program ${command[0]} that signs`;
      if (code !== 0)
        throw new Failure("KeyUnavailable", `${name} ended with ${code ?? "no exit code"}${complaint === "" ? "" : `: ${complaint}`}`);
      const signature = new Uint8Array(Buffer.from(output.trim(), "base64"));
      if (!verifySignature(publicKey, message, signature)) {
        throw new Failure("KeyUnavailable", `${name} answered with no signature of the key ${hex} over what it was given`);
      }
      return signature;
    },
  };
};

const run = (
  [program = "", ...args]: readonly string[],
  folder: string,
  message: Uint8Array,
): Promise<{ output: string; complaint: string; code: number | null }> =>
  new Promise((resolve, reject) => {
    // Not the option `timeout`: its timer goes on for a program that could not be started.
    const limit = AbortSignal.timeout(timeoutMs);
    const failed = (cause: unknown): void => {
      const why = limit.aborted ? `has not signed within ${formatDuration(timeoutMs)}` : "cannot be run";
      reject(new Failure("KeyUnavailable", `the program ${program} that signs ${why}`, { cause }));
    };
    const child = spawn(program, args, { cwd: folder, stdio: ["pipe", "pipe", "pipe"], signal: limit });
    let output = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("latin1")).slice(0, largestAnswer);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(0, largestAnswer);
    });
    child.once("error", failed);
    // It may answer without reading all, or end early: its exit code and its signature tell.
    child.stdin.on("error", () => {});
    child.once("close", (code) => resolve({ output, complaint: lastLine(complaint), code }));
    child.stdin.end(message);
  });

const lastLine = (text: string): string =>
  text
    .trim()
    .split("\n")
    .at(-1)!
    .replaceAll(/[^\x20-\x7e]/g, " ")
    .slice(0, 200);
