import type { PostgresCheck } from "../../check.ts";
import { fail, notApplicable, pass } from "../../finding.ts";
import { judgeSetting } from "./judge-setting.ts";

export const postgresTlsConnection: PostgresCheck = {
  id: "postgres-tls-connection",
  appliesTo: "postgres",
  title: "The connection to PostgreSQL is encrypted and the server's certificate is verified",
  severity: "high",
  rationale:
    "Backups read everything that the database holds. Without TLS, or with a certificate nobody checks, whoever sits on the network reads or alters it.",
  remedy: "Add sslmode=verify-full (and sslrootcert for a private authority) to the database's URL.",
  permission: "nothing",
  async run(session) {
    const { unixSocket, encrypted, certificateVerified, protocol, cipher } = session.transport;
    const evidence = { seenBy: "client", unixSocket, encrypted, certificateVerified, protocol, cipher };
    if (unixSocket) return notApplicable("The connection is a Unix socket: nothing crosses a network.", evidence);
    if (!encrypted) return fail("The connection is not encrypted.", evidence);
    if (!certificateVerified)
      return fail(`The connection is encrypted (${protocol}), but nobody checks whose certificate it is.`, evidence);
    return pass(`The connection uses ${protocol} with ${cipher}, and the certificate is verified.`, evidence);
  },
};

export const postgresTlsServer: PostgresCheck = {
  id: "postgres-tls-server",
  appliesTo: "postgres",
  title: "The PostgreSQL server offers TLS",
  severity: "high",
  rationale: "A server that does not offer TLS forces every client, not only backups, to send passwords and data in the clear.",
  remedy: "Give the server a certificate and set ssl = on.",
  permission: "nothing",
  run: (session) =>
    judgeSetting(session, "ssl", (ssl, evidence) =>
      ssl === "on" ? pass("The server offers TLS (ssl = on).", evidence) : fail(`The server does not offer TLS (ssl = ${ssl}).`, evidence),
    ),
};
