import type { Framework } from "./framework.ts";

export const iso27001: Framework = {
  id: "iso27001",
  name: "ISO/IEC 27001",
  basis: "ISO/IEC 27001:2022, controls of Annex A",
  controls: [
    {
      id: "A.5.3",
      title: "Conflicting duties are in different hands",
      checks: ["record-key-separation", "record-recipients", "postgres-backup-role", "mongodb-backup-user"],
    },
    {
      id: "A.5.15",
      title: "Access follows rules",
      checks: ["postgres-host-rules", "postgres-public-create", "postgres-exposed-tables", "mongodb-authentication"],
    },
    {
      id: "A.5.17",
      title: "Passwords and keys are handled safely",
      checks: ["postgres-password-encryption", "postgres-password-hashes", "mongodb-password-hashes"],
    },
    { id: "A.5.28", title: "Evidence is collected and preserved", checks: ["record-log-complete", "record-anchored"] },
    {
      id: "A.5.30",
      title: "Systems are ready for continuity, and that is tested",
      checks: ["record-recovery-point", "record-recovery-time", "record-drill", "record-recovery-kit"],
    },
    {
      id: "A.5.33",
      title: "Records are protected from loss, falsification and early deletion",
      checks: ["record-retention", "record-log-complete", "record-anchored", "record-replicas-proven"],
    },
    {
      id: "A.8.2",
      title: "Privileged rights are few and controlled",
      checks: ["postgres-superusers", "postgres-backup-role", "mongodb-root-users", "mongodb-backup-user"],
    },
    {
      id: "A.8.3",
      title: "Access to information is restricted",
      checks: ["postgres-public-create", "postgres-exposed-tables", "postgres-row-policies-active", "postgres-row-security-forced"],
    },
    {
      id: "A.8.5",
      title: "Authentication is secure",
      checks: ["postgres-host-rules", "postgres-password-hashes", "mongodb-authentication"],
    },
    { id: "A.8.6", title: "Capacity is watched", checks: ["postgres-size", "mongodb-size", "database-fits-its-allowance"] },
    { id: "A.8.8", title: "Technical vulnerabilities are dealt with", checks: ["postgres-version", "mongodb-version"] },
    { id: "A.8.10", title: "Information is deleted when it is no longer required", checks: ["record-retention"] },
    {
      id: "A.8.13",
      title: "Backups are kept and tested",
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
        "record-drill",
        "record-recovery-kit",
        "postgres-data-checksums",
      ],
    },
    { id: "A.8.14", title: "There is redundancy enough for availability", checks: ["record-replicas"] },
    {
      id: "A.8.15",
      title: "Activities are logged",
      checks: ["postgres-log-connections", "postgres-log-statements", "record-log-complete"],
    },
    { id: "A.8.16", title: "Systems are watched for what is not normal", checks: ["postgres-log-connections", "record-last-run"] },
    {
      id: "A.8.20",
      title: "Networks are secured",
      checks: ["postgres-tls-connection", "postgres-tls-server", "mongodb-tls-connection", "mongodb-tls-required", "postgres-host-rules"],
    },
    {
      id: "A.8.24",
      title: "Cryptography is used by rules",
      checks: [
        "postgres-tls-connection",
        "postgres-tls-server",
        "mongodb-tls-connection",
        "mongodb-tls-required",
        "postgres-password-encryption",
        "record-recipients",
        "record-key-separation",
      ],
    },
  ],
};
