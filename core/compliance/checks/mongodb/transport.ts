import type { MongoCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";
import { describeReadFailure } from "../../reason-of-error.ts";

export const mongodbTlsConnection: MongoCheck = {
  id: "mongodb-tls-connection",
  appliesTo: "mongodb",
  title: "The connection to MongoDB is encrypted and the server's certificate is verified",
  severity: "high",
  rationale:
    "Backups read everything that the database holds. Without TLS, or with a certificate nobody checks, whoever sits on the network reads or alters it.",
  remedy:
    "Add tls=true (and tlsCAFile for a private authority) to the database's URL, and remove tlsInsecure and tlsAllowInvalidCertificates.",
  permission: "nothing",
  async run(session) {
    const { tls, certificateVerified } = session.transport;
    const evidence = { seenBy: "client", tls, certificateVerified };
    if (!tls) return fail("The connection is not encrypted.", evidence);
    if (!certificateVerified) return fail("The connection is encrypted, but nobody checks whose certificate it is.", evidence);
    return pass("The connection uses TLS, and the certificate is verified.", evidence);
  },
};

const attempt = { command: { hello: 1 }, database: "admin", credentials: "none", tls: false } as const;

export const mongodbTlsRequired: MongoCheck = {
  id: "mongodb-tls-required",
  appliesTo: "mongodb",
  title: "MongoDB refuses connections without TLS",
  severity: "high",
  rationale: "A server that also talks in the clear will be talked to in the clear, by the one client that somebody forgot.",
  remedy: "Set net.tls.mode: requireTLS.",
  permission: "nothing",
  async run(session) {
    try {
      await session.commandWithoutCredentials(attempt.command, { plaintext: true });
      return fail("The server answered on a connection without TLS.", { attempt, answered: true });
    } catch (error) {
      const { kind, code, words } = describeReadFailure(error);
      const evidence = { attempt, answered: false, code };
      // A refusal looks like a network failure; it is one only if the same hosts do answer with TLS, on the sweep's own connection.
      if (kind === "unreachable" && session.transport.tls) return pass("A connection without TLS was refused.", evidence);
      return inconclusive(`The attempt without TLS did not get a clear answer: ${words}.`, evidence);
    }
  },
};
