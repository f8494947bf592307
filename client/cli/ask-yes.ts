import { createInterface } from "node:readline/promises";

/** Asks on the terminal. Only a whole `y` or `yes` is one: whoever just presses Enter has not agreed. */
export const askYes = async (question: string, signal: AbortSignal): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D while it asks are no agreement, and end the question.
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
};
