-- How each copy fared when it was challenged, what was found wrong with whom, and what speaks for and against each store.

ALTER TABLE dbgov.replica
  ADD COLUMN asked_at timestamptz,       -- last challenged, whatever came of it
  ADD COLUMN challenged_at timestamptz,  -- last challenged with random blocks that were all right
  ADD COLUMN lost_at timestamptz;        -- found missing or altered: it does not count (its receipt is null), a deletion still looks here
CREATE INDEX replica_due ON dbgov.replica (store, (coalesce(asked_at, recorded_at)), object) WHERE receipt IS NOT NULL;
CREATE INDEX replica_lost ON dbgov.replica (object, store) WHERE lost_at IS NOT NULL;

-- `object` is empty where the finding is about the store as a whole. While it stands, it is one row, however often it is seen.
CREATE TABLE dbgov.copy_finding (
  finding_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store text COLLATE "C" NOT NULL,
  object text COLLATE "C" NOT NULL DEFAULT '',
  kind text COLLATE "C" NOT NULL,
  message text NOT NULL,
  found_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text CHECK (outcome IN ('repaired', 'proven', 'deleted')),
  repaired_from text COLLATE "C",
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX copy_finding_standing ON dbgov.copy_finding (store, object, kind) WHERE ended_at IS NULL;
CREATE INDEX copy_finding_found ON dbgov.copy_finding (found_at);

-- Answers of a store, by day and kind: what its trust is reckoned from.
CREATE TABLE dbgov.store_evidence (
  store text COLLATE "C" NOT NULL,
  day date NOT NULL,
  kind text COLLATE "C" NOT NULL,
  answers bigint NOT NULL,
  PRIMARY KEY (store, day, kind)
);

-- What the services of stores end by themselves, as they said when they were last asked.
CREATE TABLE dbgov.renewal (
  store text COLLATE "C" NOT NULL,
  what text NOT NULL,
  until timestamptz,
  funded_until timestamptz,
  renewable boolean NOT NULL,
  problem text,
  asked_at timestamptz NOT NULL,
  renewed_at timestamptz,
  PRIMARY KEY (store, what)
);
