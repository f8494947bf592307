import type { MongoCheck } from "../../check.ts";
import { inconclusive } from "../../finding.ts";
import { noSizeLimit, sizeVerdict } from "../size-verdict.ts";

const command = { dbStats: 1 };

export const mongodbSize: MongoCheck = {
  id: "mongodb-size",
  appliesTo: "mongodb",
  title: "The MongoDB database has room left in its plan",
  severity: "medium",
  rationale: "A free or small plan refuses writes when it is full.",
  remedy: "Delete or archive what is not needed, or move to a larger plan.",
  permission: "the role read on the database",
  async run(session, { sizeLimitBytes }) {
    if (sizeLimitBytes === undefined) return noSizeLimit();
    const answer = await session.command(command);
    // Atlas measures its limits as data plus indexes, uncompressed.
    const dataSize = Number(answer.dataSize);
    const indexSize = Number(answer.indexSize);
    const read = { command, dataSize: String(answer.dataSize), indexSize: String(answer.indexSize) };
    if (!Number.isFinite(dataSize + indexSize)) return inconclusive("The server does not say how large the database is.", read);
    return sizeVerdict(dataSize + indexSize, sizeLimitBytes, read);
  },
};
