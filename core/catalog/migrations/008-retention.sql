-- What is marked to go, what a store does not let go yet, and what two persons agreed on.

ALTER TABLE dbgov.hold ADD COLUMN until timestamptz;  -- null: until somebody lifts it

-- Snapshots that live, and go once they are due unless somebody keeps them before.
CREATE TABLE dbgov.pending_deletion (
  snapshot_no bigint PRIMARY KEY REFERENCES dbgov.snapshot,
  marked_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason IN ('retention', 'request'))  -- request: two persons asked for all of its database to go
);

-- Copies whose store refused to delete them for now.
CREATE TABLE dbgov.retained_copy (
  object text COLLATE "C" NOT NULL,
  store text COLLATE "C" NOT NULL,
  until timestamptz,               -- as the store told it; null when it did not
  retry_at timestamptz NOT NULL,
  refusals integer NOT NULL DEFAULT 1,
  PRIMARY KEY (object, store)
);

-- What stores were asked to make immutable, to hold, and to move to another tier.
CREATE TABLE dbgov.protection (
  object text COLLATE "C" NOT NULL,
  store text COLLATE "C" NOT NULL,
  until timestamptz,
  held boolean NOT NULL DEFAULT false,
  tier text,
  PRIMARY KEY (object, store)
);

-- What stays in force until two persons agree on something else: `approvers`, and the rules of each database.
CREATE TABLE dbgov.in_force (
  subject text COLLATE "C" PRIMARY KEY,
  content jsonb NOT NULL,
  since timestamptz NOT NULL
);

-- Approvals that were used. One is used once.
CREATE TABLE dbgov.approval (
  request text COLLATE "C" PRIMARY KEY,  -- SHA-256 of the request that both signed
  act text COLLATE "C" NOT NULL,
  requested_by text COLLATE "C" NOT NULL,
  approved_by text COLLATE "C" NOT NULL,
  used_at timestamptz NOT NULL,
  result jsonb NOT NULL
);

-- As before; a hold whose end has come stands no longer.
CREATE OR REPLACE VIEW dbgov.live_snapshot AS
  SELECT s.*, EXISTS (
    SELECT FROM dbgov.hold h
    WHERE h.lifted_at IS NULL AND (h.until IS NULL OR h.until > now())
      AND (h.database IS NULL OR h.database = s.database) AND (h.snapshot IS NULL OR h.snapshot = s.id)
  ) AS held
  FROM dbgov.snapshot s WHERE s.removed_at IS NULL;
