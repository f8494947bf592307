import type { Framework } from "./framework.ts";

export const sox: Framework = {
  id: "sox",
  name: "SOX",
  basis: "IT general controls under section 404, by the management practices of COBIT 2019",
  controls: [
    {
      id: "APO14.09",
      title: "Data is archived and kept as long as it must be, and no longer",
      checks: ["record-retention"],
    },
    {
      id: "APO14.10",
      title: "Backups and restores of data are arranged",
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
        "record-recovery-kit",
      ],
    },
    {
      id: "BAI04.04",
      title: "Capacity and availability are watched",
      checks: ["postgres-size", "mongodb-size", "database-fits-its-allowance"],
    },
    {
      id: "DSS01.03",
      title: "Infrastructure is monitored, and events are recorded",
      checks: ["postgres-log-connections", "postgres-log-statements", "record-last-run"],
    },
    {
      id: "DSS04.04",
      title: "Continuity plans are exercised, and what is learned is used",
      checks: ["record-drill", "record-recovery-time"],
    },
    {
      id: "DSS04.07",
      title: "Backups exist at agreed intervals, away from the original, and are tested",
      checks: [
        "record-protected",
        "record-recovery-point",
        "record-replicas",
        "record-replicas-proven",
        "record-drill",
        "record-recovery-kit",
        "postgres-data-checksums",
      ],
    },
    {
      id: "DSS05.02",
      title: "Network connections are protected",
      checks: ["postgres-tls-connection", "postgres-tls-server", "postgres-host-rules", "mongodb-tls-connection", "mongodb-tls-required"],
    },
    {
      id: "DSS05.04",
      title: "Identities are verified, and access is limited to what the work needs",
      checks: [
        "postgres-host-rules",
        "postgres-password-encryption",
        "postgres-password-hashes",
        "postgres-superusers",
        "postgres-backup-role",
        "postgres-public-create",
        "postgres-exposed-tables",
        "postgres-row-policies-active",
        "postgres-row-security-forced",
        "mongodb-authentication",
        "mongodb-root-users",
        "mongodb-password-hashes",
        "mongodb-backup-user",
      ],
    },
    {
      id: "DSS05.07",
      title: "Vulnerabilities are managed, and security events are looked at",
      checks: ["postgres-version", "mongodb-version", "postgres-log-connections"],
    },
    {
      id: "DSS06.03",
      title: "Duties are separated, and privileges follow roles",
      checks: [
        "postgres-superusers",
        "postgres-backup-role",
        "mongodb-root-users",
        "mongodb-backup-user",
        "record-key-separation",
        "record-recipients",
      ],
    },
    {
      id: "DSS06.05",
      title: "Events that bear on financial information can be traced to who caused them",
      checks: ["postgres-log-statements", "record-log-complete", "record-anchored"],
    },
  ],
};
