import type { MongoCheck } from "../../check.ts";
import { inconclusive } from "../../finding.ts";
import { mongodbSupport } from "../../support-dates.ts";
import { versionVerdict } from "../version-verdict.ts";

const command = { buildInfo: 1 };

export const mongodbVersion: MongoCheck = {
  id: "mongodb-version",
  appliesTo: "mongodb",
  title: "The MongoDB version still gets security fixes",
  severity: "high",
  rationale: "Holes found after a version's last day stay open for good.",
  remedy: "Upgrade to a supported version, one major version at a time; restore the newest snapshot into it first to rehearse.",
  permission: "nothing",
  async run(session, { now }) {
    const answer = await session.command(command, "admin");
    const version = String(answer.version);
    const ferretdb = answer.ferretdbVersion;
    if (ferretdb !== undefined) {
      // It repeats a MongoDB version that it imitates; MongoDB's dates say nothing about it.
      return inconclusive(
        `The server is FerretDB${ferretdb === "unknown" ? "" : ` ${String(ferretdb)}`}, whose makers publish no dates of support.`,
        {
          command,
          ferretdbVersion: String(ferretdb),
          imitates: version,
        },
      );
    }
    const release = version.split(".").slice(0, 2).join(".");
    return versionVerdict("MongoDB", release, mongodbSupport, now, { command, version });
  },
};
