import type { Framework } from "./framework.ts";

export const hipaa: Framework = {
  id: "hipaa",
  name: "HIPAA",
  basis: "Security Rule, 45 CFR part 164 subpart C, by paragraph",
  controls: [
    {
      id: "164.308(a)(1)(ii)(B)",
      title: "Known risks are reduced to a reasonable level",
      checks: ["postgres-version", "postgres-size", "mongodb-version", "mongodb-size", "database-fits-its-allowance"],
    },
    {
      id: "164.308(a)(1)(ii)(D)",
      title: "Records of system activity exist and are reviewed",
      checks: ["postgres-log-connections", "postgres-log-statements", "record-last-run"],
    },
    {
      id: "164.308(a)(4)(ii)(B)",
      title: "Access is granted by policy, to what the work needs",
      checks: [
        "postgres-superusers",
        "postgres-backup-role",
        "postgres-public-create",
        "postgres-exposed-tables",
        "postgres-row-policies-active",
        "postgres-row-security-forced",
        "mongodb-root-users",
        "mongodb-backup-user",
      ],
    },
    {
      id: "164.308(a)(5)(ii)(D)",
      title: "Passwords are kept and changed safely",
      checks: ["postgres-password-encryption", "postgres-password-hashes", "mongodb-password-hashes"],
    },
    {
      id: "164.308(a)(7)(ii)(A)",
      title: "Exact, retrievable copies of health information are made",
      checks: [
        "record-protected",
        "record-recovery-point",
        "record-last-run",
        "record-replicas",
        "record-replicas-proven",
        "record-copies-challenged",
        "record-stores-sound",
        "record-stores-funded",
        "record-lifecycle-rules",
      ],
    },
    {
      id: "164.308(a)(7)(ii)(B)",
      title: "Lost data can be restored",
      checks: ["record-recovery-time", "record-recovery-kit", "record-replicas"],
    },
    {
      id: "164.308(a)(7)(ii)(D)",
      title: "Contingency plans are tested and revised",
      checks: ["record-drill", "record-recovery-time"],
    },
    {
      id: "164.312(a)(1)",
      title: "Only those who were given access get it",
      checks: ["postgres-host-rules", "postgres-exposed-tables", "postgres-row-policies-active", "mongodb-authentication"],
    },
    {
      id: "164.312(a)(2)(iv)",
      title: "Health information is encrypted where it is stored",
      checks: ["record-recipients", "record-key-separation"],
    },
    {
      id: "164.312(b)",
      title: "Activity in systems with health information is recorded",
      checks: ["postgres-log-connections", "postgres-log-statements", "record-log-complete", "record-anchored"],
    },
    {
      id: "164.312(c)(1)",
      title: "Health information is not altered or destroyed improperly",
      checks: ["postgres-data-checksums", "record-replicas-proven", "record-drill", "record-log-complete", "record-retention"],
    },
    {
      id: "164.312(d)",
      title: "Whoever asks for access proves who they are",
      checks: ["postgres-host-rules", "postgres-password-hashes", "mongodb-authentication"],
    },
    {
      id: "164.312(e)(1)",
      title: "Health information is guarded while it travels",
      checks: ["postgres-tls-connection", "postgres-tls-server", "mongodb-tls-connection", "mongodb-tls-required"],
    },
    {
      id: "164.316(b)(2)(i)",
      title: "Records that the rule requires are kept for their time",
      checks: ["record-retention"],
    },
  ],
};
