/**
 * Every way in which a run can fail, in one table. A failure crosses a boundary (activity, CLI, HTTP) only as one
 * of these types; `docs/runbook.md` has a section for each. `retry` says whether trying the same step again can help
 * without anybody doing anything; `exit` is the exit code that the CLI ends with.
 */
export const failureTypes = {
  ConfigurationInvalid: { retry: false, exit: 2, remedy: "Correct the configuration at the place named, then run `dbgov check`." },
  UsageInvalid: { retry: false, exit: 2, remedy: "Read `--help` of the command and call it again." },
  SecretMissing: { retry: false, exit: 2, remedy: "Set the environment variable or create the file that the configuration names." },
  KeyUnavailable: {
    retry: true,
    exit: 1,
    remedy: "Bring back the vault, or the program that signs, that the message names; what waits for it goes on by itself then.",
  },
  DatabaseUnreachable: {
    retry: true,
    exit: 1,
    remedy: "Check host, port, TLS and firewall; the run resumes by itself once the database answers.",
  },
  AuthenticationRejected: {
    retry: false,
    exit: 1,
    remedy: "Correct the user or the password in the secret that the configuration names, then reset the workflow.",
  },
  PermissionMissing: { retry: false, exit: 1, remedy: "Grant the permission that is named, then reset the workflow." },
  DatabaseMissing: { retry: false, exit: 1, remedy: "Create the database or correct its name in the URL." },
  EngineUnsupported: { retry: false, exit: 1, remedy: "Use a server version that is supported, or a newer dbgov." },
  ClientToolMissing: {
    retry: false,
    exit: 1,
    remedy: "Install the client tools in the version named, or point the environment variable named at them.",
  },
  SourceChanged: { retry: false, exit: 1, remedy: "A table or collection changed while it was read; start the backup again." },
  HoldLost: {
    retry: false,
    exit: 1,
    remedy: "The consistent snapshot was lost with its connection; the workflow opens a new one by itself, a bounded number of times.",
  },
  StoreUnreachable: {
    retry: true,
    exit: 1,
    remedy: "Check the store's address and state; uploads resume by themselves once it answers, or reset the workflow.",
  },
  StoreRejected: { retry: false, exit: 1, remedy: "Correct the store's credentials or permissions, then reset the workflow." },
  StoreFull: { retry: false, exit: 1, remedy: "Free space or raise the quota of the store, then reset the workflow." },
  StoreRetained: {
    retry: false,
    exit: 1,
    remedy:
      "Nothing: the store keeps the object until the time named, by a lock or a minimum duration; it is deleted by a later retention run.",
  },
  StoreUnsettled: {
    retry: true,
    exit: 1,
    remedy: "Wait: the store's network does not have yet what the store has taken. If it stays so, look at the store's upload queue.",
  },
  ObjectMissing: { retry: false, exit: 5, remedy: "Restore from another store; `dbgov verify` replaces the copy from a good one." },
  ObjectCorrupt: {
    retry: false,
    exit: 5,
    remedy:
      "The bytes are not those that were written: restore from another store; `dbgov verify` replaces the copy and keeps the bad one for examination.",
  },
  ObjectArchived: {
    retry: false,
    exit: 1,
    remedy:
      "Restore from another store, or run `dbgov stores rehydrate` with the snapshot's id and wait until it says that all is back: up to 15 hours, or about one with `--priority high`.",
  },
  CopyLost: {
    retry: false,
    exit: 5,
    remedy:
      "Bring back a store that has the objects named, or back the database up anew: captures no longer refer to packs that nobody has.",
  },
  StoreUnfunded: {
    retry: false,
    exit: 1,
    remedy: "Fund the account, or renew the contract, that is named before the date given: what is stored there ends with it.",
  },
  QuorumMissed: { retry: false, exit: 1, remedy: "Bring back the stores that are named, then reset the workflow to its replication." },
  WrongKey: { retry: false, exit: 5, remedy: "Use the recovery key of a recipient that the snapshot was sealed to." },
  EnvelopeMissing: {
    retry: false,
    exit: 5,
    remedy: "Bring the keyring that holds this envelope; if it was destroyed on purpose, the content is deleted for good.",
  },
  FormatUnsupported: { retry: false, exit: 5, remedy: "Use a dbgov that knows this format version." },
  PacksReclaimed: {
    retry: false,
    exit: 1,
    remedy: "Packs that the capture relied on were deleted before it committed; start the backup again.",
  },
  SnapshotUnknown: { retry: false, exit: 4, remedy: "List what exists with `dbgov snapshots`." },
  NameUnknown: { retry: false, exit: 4, remedy: "Use a name that `dbgov.yaml`, or the snapshot, has." },
  TargetNotEmpty: { retry: false, exit: 1, remedy: "Restore into an empty database, or pass `--replace` to drop what is there." },
  RestoreFailed: { retry: false, exit: 1, remedy: "Read the database's own message, correct the target, and go on with `--resume`." },
  ContentDiffers: {
    retry: false,
    exit: 5,
    remedy: "Do not rely on this copy; compare the streams that are named, and run the drill from another store.",
  },
  LedgerConflict: { retry: true, exit: 1, remedy: "Another writer appended first; the append is tried again by itself." },
  LedgerCorrupt: {
    retry: false,
    exit: 5,
    remedy: "Stop appending; compare the log's tiles with another store's copy as the runbook describes.",
  },
  ChainUnreachable: { retry: true, exit: 1, remedy: "Check the RPC address; anchoring resumes by itself." },
  ChainRejected: { retry: false, exit: 1, remedy: "Check the contract's address, the submitter's allowance and its balance." },
  AuthorityUnreachable: { retry: true, exit: 1, remedy: "Check the time-stamping authority's address; time-stamping resumes by itself." },
  AuthorityRejected: {
    retry: false,
    exit: 1,
    remedy: "Check the authority's root certificates in the configuration, and what the authority offers.",
  },
  WitnessesMissing: {
    retry: true,
    exit: 1,
    remedy: "Bring back the witnesses that are named; the checkpoint is published by itself then.",
  },
  TokenRejected: { retry: false, exit: 1, remedy: "Ask the operator of the log for a token that is valid and covers what is asked for." },
  AuditUnreachable: { retry: true, exit: 1, remedy: "Check the address of the audit API, or ask again later." },
  CostCapExceeded: { retry: false, exit: 1, remedy: "Raise the cap in the configuration, or store less there." },
  CatalogUnreachable: { retry: true, exit: 1, remedy: "Start the catalog's PostgreSQL; runs resume by themselves." },
  OrchestratorUnreachable: { retry: true, exit: 1, remedy: "Start Temporal, or correct its address in the configuration." },
  WorkerMissing: { retry: false, exit: 1, remedy: "Start a worker: `bin/dbgov worker --config FILE`." },
  RetentionRefused: { retry: false, exit: 1, remedy: "Nothing is deleted until a newer snapshot of the database is verified." },
  HoldStands: { retry: false, exit: 1, remedy: "Lift the legal hold first, if the law allows it." },
  ApprovalNeeded: {
    retry: false,
    exit: 1,
    remedy: "Ask with your approver's key (`--key`), and have another approver run `dbgov approve`.",
  },
  ApprovalRefused: {
    retry: false,
    exit: 1,
    remedy: "Nothing was done. Ask anew, and have another person approve in time, each with their own key.",
  },
  VerificationFailed: { retry: false, exit: 5, remedy: "Treat the evidence as not proven; the failures name each part." },
  CheckIncomplete: { retry: true, exit: 1, remedy: "A control could not be judged; grant what is named and sweep again." },
  TakeoverUnsound: {
    retry: false,
    exit: 5,
    remedy:
      "The next backup reads everything. Treat snapshots since the last full read as doubtful, and report this with the log of the run.",
  },
  StackFailed: {
    retry: false,
    exit: 1,
    remedy: "Read the component's log that is named, correct the cause, and run `bin/dbgov stack up` again.",
  },
  Unexpected: { retry: false, exit: 1, remedy: "This is a defect of dbgov: report it with the log of the run." },
} as const satisfies Record<string, { retry: boolean; exit: 1 | 2 | 4 | 5; remedy: string }>;

export type FailureType = keyof typeof failureTypes;

/** A failure that people and programs can act on. `message` is one sentence: what is wrong, where. Never holds a secret. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly type: FailureType;
  /** What a program acts on, where a type has such: `until` (ISO 8601) of `StoreRetained`, when the store tells it. */
  readonly details: Readonly<Record<string, string>>;
  constructor(type: FailureType, message: string, options: { cause?: unknown; details?: Readonly<Record<string, string>> } = {}) {
    super(message, options);
    this.type = type;
    this.details = options.details ?? {};
  }
}

export const isFailure = (error: unknown, type?: FailureType): error is Failure =>
  error instanceof Failure && (type === undefined || error.type === type);

/** The failure that `error` is, or an `Unexpected` one around it. Errors of libraries carry no secrets only by luck: `during` replaces their words. */
export const asFailure = (error: unknown, during: string): Failure =>
  error instanceof Failure
    ? error
    : new Failure("Unexpected", `${during}: ${error instanceof Error ? error.name : typeof error}`, { cause: error });
