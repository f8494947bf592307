/** What the manifest keeps of each stream, as JSON, so that it can be written back by whoever has nothing else. */

export type RowsTarget = TableTarget | ObjectsTarget;

export interface TableTarget {
  /** Quoted and qualified. */
  readonly table: string;
  /** Quoted; empty for a table without columns. */
  readonly columns: readonly string[];
  /** The server encoding of the source, when it is not UTF8: text is stored in it. */
  readonly encoding?: string;
  /** Of an extension's configuration table: the condition that tells the user's rows from the extension's own. */
  readonly filter?: string;
  /** The stream holds the rows of all its partitions, which will not be the same partitions elsewhere. */
  readonly partitioned?: true;
}

/** The large objects of the database, as lines of object, page and content. */
export interface ObjectsTarget {
  readonly largeObjects: true;
}

export interface SchemaTarget {
  readonly format: "pg_dump-custom";
  /** `server_version_num` of the source. */
  readonly serverVersion: number;
  /** Major version of the pg_dump that wrote it; pg_restore must not be older. */
  readonly toolMajor: number;
  readonly roles: SchemaRoles;
  readonly tablespaces: readonly string[];
  /** Absent in snapshots of an older release, as the next two. */
  readonly database?: DatabaseFacts;
  readonly subscriptions?: readonly string[];
  /** Who gave security labels: a library that the target's server must have loaded. */
  readonly labelProviders?: readonly string[];
}

/** What belongs to the database as a whole. */
export interface DatabaseFacts {
  readonly comment: string | null;
  /** `ALTER DATABASE … SET`, or, with a role, `ALTER ROLE … IN DATABASE … SET`. */
  readonly settings: readonly { readonly role: string | null; readonly name: string; readonly value: string }[];
  /** Absent in snapshots of an older release. */
  readonly rights?: DatabaseRights;
}

/** Whose the database is, and who may use it. */
export interface DatabaseRights {
  readonly owner: string;
  /** Null where nobody has ever changed it. In the order in which it was granted. */
  readonly grants: readonly Grant[] | null;
  /** How many connections; -1 without a limit. */
  readonly connectionLimit: number;
}

/** Roles by name. */
export interface Grant {
  /** Empty for PUBLIC. */
  readonly role: string;
  readonly by: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** Roles are not part of a database: these must exist where it is restored, or be left out. */
export interface SchemaRoles {
  readonly owners: readonly string[];
  readonly grantees: readonly string[];
  readonly policies: readonly string[];
}

/** Names of schemas in which restores that are not finished keep how far they came, as a regular expression. They belong to no snapshot. */
export const progressSchemaPattern = "dbgov_restore_[0-9a-f]{16}";

export const definitionNames = {
  schema: "schema",
  sequences: "sequences",
  views: "materialized views",
  objects: "large object definitions",
  /** Absent in snapshots of an older release. */
  roles: "roles",
} as const;

export const largeObjectsName = "large objects";

export interface SequenceState {
  /** Quoted and qualified. */
  readonly sequence: string;
  /** An int8, as text. */
  readonly last: string;
  readonly called: boolean;
}

/** How a part is read: everything (of one partition, where the stream has several), a range of blocks, or one of large objects. */
export type RowsSelector = WholeSelector | BlocksSelector | ObjectsSelector;

export interface WholeSelector {
  readonly whole: true;
  /** Quoted and qualified, when it is not the target's. */
  readonly table?: string;
}

/** Blocks `from` (included) to `to` (excluded; open when absent). */
export interface BlocksSelector {
  readonly from: number;
  readonly to?: number;
  readonly table?: string;
}

export interface ObjectsSelector {
  readonly objects: { readonly from: number; readonly to?: number };
}
