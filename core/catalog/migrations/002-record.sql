-- The engine's own record: runs, log entries, checkpoints, anchors, drills, sweeps.

CREATE TABLE dbgov.run (
  workflow_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  database text COLLATE "C",
  kind text NOT NULL CHECK (kind IN ('backup', 'drill', 'verify', 'retention', 'sweep', 'anchor')),
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text CHECK (outcome IN ('done', 'degraded', 'failed')),
  failure_type text,
  message text,
  PRIMARY KEY (workflow_id, run_id),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX run_of_database ON dbgov.run (database, started_at DESC);
CREATE INDEX run_started ON dbgov.run (started_at DESC);

CREATE TABLE dbgov.log_entry (
  identity text COLLATE "C" PRIMARY KEY,
  log_index bigint NOT NULL UNIQUE,
  kind text NOT NULL,
  database text COLLATE "C",
  sequence bigint,
  entry_hash bytea NOT NULL,
  at timestamptz NOT NULL
);
-- Gaps in a database's sequence are visible to an auditor; entries of no database are a series of their own.
CREATE UNIQUE INDEX log_entry_sequence ON dbgov.log_entry (coalesce(database, ''), sequence);

CREATE TABLE dbgov.checkpoint (
  origin text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  note text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (origin, size)
);

CREATE TABLE dbgov.anchor (
  anchor text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  transaction text COLLATE "C" NOT NULL,
  root bytea NOT NULL,
  chain_id bigint NOT NULL,
  contract text NOT NULL,
  block bigint,
  block_hash text,
  status text NOT NULL CHECK (status IN ('submitted', 'mined', 'finalized')),
  at timestamptz NOT NULL,
  PRIMARY KEY (anchor, size, transaction)
);
CREATE INDEX anchor_final ON dbgov.anchor (size) WHERE status = 'finalized';

CREATE TABLE dbgov.drill (
  snapshot text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  database text COLLATE "C" NOT NULL,
  identical boolean NOT NULL,
  seconds double precision NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  differences jsonb NOT NULL,
  PRIMARY KEY (snapshot, at)
);
CREATE INDEX drill_of_database ON dbgov.drill (database, at DESC);

CREATE TABLE dbgov.sweep (
  id text COLLATE "C" PRIMARY KEY,
  at timestamptz NOT NULL,
  pass integer NOT NULL,
  fail integer NOT NULL,
  not_applicable integer NOT NULL,
  inconclusive integer NOT NULL,
  report_hash bytea NOT NULL,
  findings jsonb NOT NULL
);
CREATE INDEX sweep_at ON dbgov.sweep (at DESC);
