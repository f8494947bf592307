/**
 * When the makers of database servers stop supporting a version. Data, to be renewed with each release of this software.
 * A version that is not listed is unknown: newer than this table, or older than what anybody lists.
 */
export interface SupportTable {
  readonly source: string;
  /** The day whose state of the source the table shows. */
  readonly asOf: string;
  /** Last day of support; null: the maker has not said. */
  readonly lastDay: Readonly<Record<string, string | null>>;
}

export const postgresSupport: SupportTable = {
  source: "https://www.postgresql.org/support/versioning/",
  asOf: "2026-05-13",
  lastDay: {
    "9.6": "2021-11-11",
    "10": "2022-11-10",
    "11": "2023-11-09",
    "12": "2024-11-21",
    "13": "2025-11-13",
    "14": "2026-11-12",
    "15": "2027-11-11",
    "16": "2028-11-09",
    "17": "2029-11-08",
    "18": "2030-11-14",
  },
};

export const mongodbSupport: SupportTable = {
  source: "https://www.mongodb.com/legal/support-policy/lifecycles",
  asOf: "2026-05-13",
  lastDay: {
    "4.0": "2022-04-30",
    "4.2": "2023-04-30",
    "4.4": "2024-02-29",
    "5.0": "2024-10-31",
    "6.0": "2025-07-31",
    "7.0": "2027-08-31",
    "8.0": "2029-10-31",
    "8.2": "2026-07-31",
    "8.3": null,
  },
};
