import { Failure } from "../domain/failure.ts";
import { readAnswer } from "../stores/bounded-answer.ts";
import { formatWitnessRequest } from "./cosign.ts";
import type { Log } from "./log.ts";
import type { Checkpoint } from "./verify/checkpoint.ts";
import { cosignaturesOf, parseWitnessKey } from "./verify/cosignature.ts";
import type { NoteKey } from "./verify/note.ts";

/** A witness as the configuration has it: where it answers, and its vkey. */
export interface WitnessPlace {
  readonly url: string;
  readonly publicKey: string;
}

/** Milliseconds that one answer may take. */
const timeoutMs = 10_000;
const largestAnswer = 16_384;

/**
 * The checkpoint's note with the cosignatures of at least `quorum` of the witnesses, all asked at once by https://c2sp.org/tlog-witness.
 * Throws `WitnessesMissing` with what each of the others said.
 */
export const gatherCosignatures = async (
  log: Log,
  checkpoint: Checkpoint,
  witnesses: readonly WitnessPlace[],
  quorum: number,
): Promise<{ note: string; witnesses: readonly string[] }> => {
  const results = await Promise.all(witnesses.map((witness) => cosignatureOf(log, checkpoint, witness)));
  const lines = results.flatMap((result) => ("line" in result ? [result.line] : []));
  const refusals = results.flatMap((result) => ("refusal" in result ? [result.refusal] : []));
  if (lines.length < quorum) {
    throw new Failure(
      "WitnessesMissing",
      `${lines.length} of ${witnesses.length} witnesses have cosigned size ${checkpoint.size} of the log ${log.origin}, and ${quorum} must: ${refusals.join("; ")}`,
    );
  }
  const note = checkpoint.note + lines.join("");
  return { note, witnesses: cosignaturesOf(note, witnesses.map(keyOf)).map(({ witness }) => witness) };
};

const keyOf = ({ publicKey }: WitnessPlace): NoteKey => {
  const key = parseWitnessKey(publicKey);
  if (key === undefined) throw new Failure("ConfigurationInvalid", `"${publicKey.slice(0, 80)}" is not a witness's key`);
  return key;
};

type Cosigned = { readonly line: string } | { readonly refusal: string };

/** A witness tells by its refusal which size it saw last; that costs one more question only after it, or the log, has lost its memory. */
const cosignatureOf = async (log: Log, checkpoint: Checkpoint, place: WitnessPlace): Promise<Cosigned> => {
  const key = keyOf(place);
  const no = (reason: string): Cosigned => ({ refusal: `${key.name} ${reason}` });
  let old = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    if (old > checkpoint.size) return no(`has seen ${old} entries of it: the log was rolled back, or another worker was faster`);
    const proof = await log.consistencyProof(old, checkpoint.size);
    const answer = await ask(place.url, formatWitnessRequest({ old, proof, note: checkpoint.note }));
    if ("error" in answer) return no(answer.error);
    if (answer.status === 200) {
      // Of what it sends only a line of its own key that is right is taken over.
      const line = answer.body.split("\n").find((one) => cosignaturesOf(`${checkpoint.note}${one}\n`, [key]).length > 0);
      return line === undefined ? no("answers with no cosignature of its key") : { line: `${line}\n` };
    }
    if (answer.status !== 409 || !/^\d{1,16}\n$/.test(answer.body))
      return no(`answers HTTP ${answer.status}: ${answer.body.trim().slice(0, 120)}`);
    old = Number(answer.body);
  }
  return no("names another size each time");
};

const ask = async (url: string, body: string): Promise<{ status: number; body: string } | { error: string }> => {
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/add-checkpoint`, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: new TextDecoder().decode(await readAnswer(response, largestAnswer)) };
  } catch (error) {
    if (error instanceof RangeError) return { error: `answers too much: ${error.message}` };
    return {
      error: error instanceof Error && error.name === "TimeoutError" ? `gives no answer within ${timeoutMs / 1000} s` : "cannot be reached",
    };
  }
};
