import type { MongoCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";
import { describeReadFailure } from "../../reason-of-error.ts";

const attempt = { command: { listDatabases: 1, nameOnly: true }, database: "admin", credentials: "none" } as const;

export const mongodbAuthentication: MongoCheck = {
  id: "mongodb-authentication",
  appliesTo: "mongodb",
  title: "MongoDB refuses whoever does not authenticate",
  severity: "critical",
  rationale:
    "Open MongoDB servers are found by scanners within hours, copied and wiped. The check really tries, from where the sweep runs.",
  remedy: "Create an administrator, set security.authorization: enabled, and restart the server.",
  permission: "nothing",
  async run(session) {
    try {
      const answer = await session.commandWithoutCredentials(attempt.command, { plaintext: false });
      const databases = Array.isArray(answer.databases) ? answer.databases.length : 0;
      return fail("The server listed its databases to a connection that showed no credentials.", { attempt, answered: true, databases });
    } catch (error) {
      const { kind, code, words } = describeReadFailure(error);
      const evidence = { attempt, answered: false, code };
      return kind === "permission" || kind === "credentials"
        ? pass(`A connection without credentials was refused (code ${code}).`, evidence)
        : inconclusive(`The attempt without credentials did not get an answer: ${words}.`, evidence);
    }
  },
};
