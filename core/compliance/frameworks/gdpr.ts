import type { Framework } from "./framework.ts";

export const gdpr: Framework = {
  id: "gdpr",
  name: "GDPR",
  basis: "Regulation (EU) 2016/679, by article",
  controls: [
    {
      id: "Art. 5(1)(e)",
      title: "Personal data is kept no longer than its purpose needs",
      checks: ["record-retention"],
    },
    {
      id: "Art. 5(1)(f)",
      title: "Personal data is protected against unauthorized access, loss and damage",
      checks: [
        "postgres-host-rules",
        "postgres-password-hashes",
        "postgres-exposed-tables",
        "postgres-row-policies-active",
        "postgres-data-checksums",
        "mongodb-authentication",
        "record-protected",
        "record-replicas",
      ],
    },
    {
      id: "Art. 5(2)",
      title: "The controller can demonstrate what it did",
      checks: ["postgres-log-connections", "postgres-log-statements", "record-log-complete", "record-anchored"],
    },
    {
      id: "Art. 25(2)",
      title: "By default, personal data is open to nobody who does not need it",
      checks: [
        "postgres-public-create",
        "postgres-exposed-tables",
        "postgres-row-policies-active",
        "postgres-row-security-forced",
        "postgres-superusers",
        "mongodb-root-users",
      ],
    },
    {
      id: "Art. 32(1)(a)",
      title: "Personal data is encrypted where that is appropriate",
      checks: [
        "postgres-tls-connection",
        "postgres-tls-server",
        "postgres-password-encryption",
        "mongodb-tls-connection",
        "mongodb-tls-required",
        "mongodb-password-hashes",
        "record-key-separation",
        "record-recipients",
      ],
    },
    {
      id: "Art. 32(1)(b)",
      title: "Systems stay confidential, whole, available and resilient",
      checks: [
        "postgres-version",
        "postgres-size",
        "postgres-data-checksums",
        "mongodb-version",
        "mongodb-size",
        "database-fits-its-allowance",
        "record-replicas",
        "record-replicas-proven",
      ],
    },
    {
      id: "Art. 32(1)(c)",
      title: "Availability and access can be restored in time after an incident",
      checks: ["record-protected", "record-recovery-point", "record-last-run", "record-recovery-time", "record-recovery-kit"],
    },
    {
      id: "Art. 32(1)(d)",
      title: "Measures are tested and evaluated regularly",
      checks: [
        "record-drill",
        "record-recovery-time",
        "record-replicas-proven",
        "record-copies-challenged",
        "record-stores-sound",
        "record-stores-funded",
        "record-lifecycle-rules",
      ],
    },
    {
      id: "Art. 32(4)",
      title: "People and programs with access act only within their instructions",
      checks: ["postgres-superusers", "postgres-backup-role", "mongodb-root-users", "mongodb-backup-user"],
    },
  ],
};
