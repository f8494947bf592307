import { writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { dim } from "../cli/terminal.ts";
import { launcher } from "./run-dbgov.ts";

const fileName = "environment.sh";

/** As a word that a shell reads as it is. */
const quote = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Puts what `dbgov.yaml` needs from the environment into a file of the site, for the shell of whoever keeps the stack. */
export const writeEnvironment = async (folder: string, environment: Readonly<Record<string, string>>): Promise<void> => {
  const lines = [
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PATH=${quote(dirname(launcher))}:"$PATH"`,
  ];
  await writeFile(join(folder, fileName), `${lines.join("\n")}\n`, { mode: 0o600 });
};

/** The commands with which the kept stack is used and stopped, as they can be typed where the demo was called. */
export const howToGoOn = (siteFolder: string, stackFolder: string): string[] => {
  const from = (path: string): string => quote(relative(process.cwd(), path) || ".");
  return [
    "The stack stays up. To use it:",
    `  cd ${from(siteFolder)} && . ./${fileName}   ${dim("then dbgov status; or dbgov worker in one shell, dbgov backup shop in another")}`,
    "To stop it, from here:",
    `  ${from(launcher)} stack down --folder ${from(stackFolder)}`,
  ];
};
