-- What is stored where: packs and the chunks in them, ranges, snapshots, envelopes, replicas.
-- Binary ids are bytea. A row of `pack` or `range` is a tombstone once `deleted_at` is set.

-- Object keys, as core/repository/object-keys.ts has them (a test compares the two).
CREATE FUNCTION dbgov.pack_key(id bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'packs/' || left(encode(id, 'hex'), 2) || '/' || encode(id, 'hex');
CREATE FUNCTION dbgov.range_key(id bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'ranges/' || left(encode(id, 'hex'), 2) || '/' || encode(id, 'hex');
CREATE FUNCTION dbgov.manifest_key(snapshot text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'manifests/' || snapshot;
CREATE FUNCTION dbgov.envelopes_key(object text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'envelopes/' || object;

CREATE TABLE dbgov.pack (
  pack_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 32),
  bytes bigint NOT NULL,
  root bytea NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT now(),
  written_at timestamptz,          -- null: intended only, may or may not be in its store
  claimed_until timestamptz,       -- a capture relies on it until then; not condemned before
  condemned_at timestamptz,        -- nobody refers to it; a claim can still save it
  deleted_at timestamptz,          -- past saving; its bytes may be gone
  CHECK (deleted_at IS NULL OR condemned_at IS NOT NULL)
);
CREATE INDEX pack_condemned ON dbgov.pack (condemned_at) WHERE condemned_at IS NOT NULL;

-- Millions of rows. No foreign key to pack: rows come and go with their pack in one transaction each (register, begin delete),
-- and a check per row would cost more than the insert. The same chunk may lie in several packs.
CREATE TABLE dbgov.chunk (
  id bytea NOT NULL,
  pack_no bigint NOT NULL,
  byte_offset integer NOT NULL,
  stored_bytes integer NOT NULL,
  plain_bytes integer NOT NULL,
  -- Everything a lookup answers is in the index, so it need not visit the table.
  PRIMARY KEY (id, pack_no) INCLUDE (byte_offset, stored_bytes, plain_bytes)
);
-- A pack's chunks are written together, so a block range index finds them for deletion and costs next to nothing.
CREATE INDEX chunk_pack ON dbgov.chunk USING brin (pack_no) WITH (pages_per_range = 16);

CREATE TABLE dbgov.range (
  range_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 32),
  registered_at timestamptz NOT NULL DEFAULT now(),
  claimed_until timestamptz,
  condemned_at timestamptz,        -- its envelopes are destroyed with this: past saving
  deleted_at timestamptz,
  CHECK (deleted_at IS NULL OR condemned_at IS NOT NULL)
);
CREATE INDEX range_condemned ON dbgov.range (condemned_at) WHERE condemned_at IS NOT NULL;

CREATE TABLE dbgov.range_pack (
  range_no bigint NOT NULL REFERENCES dbgov.range,
  pack_no bigint NOT NULL REFERENCES dbgov.pack,
  PRIMARY KEY (range_no, pack_no)
);
CREATE INDEX range_pack_pack ON dbgov.range_pack (pack_no);

-- One row per removal of snapshots, so that a repeated call can answer as the first did.
CREATE TABLE dbgov.removal (
  removal_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  result jsonb NOT NULL
);

CREATE TABLE dbgov.snapshot (
  snapshot_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  database text COLLATE "C" NOT NULL,
  engine text NOT NULL,
  policy text NOT NULL,
  started_at timestamptz NOT NULL,
  captured_at timestamptz NOT NULL,
  consistency text NOT NULL,
  rows bigint NOT NULL,
  bytes_read bigint NOT NULL,
  bytes_new bigint NOT NULL,
  bytes_stored bigint NOT NULL,
  manifest_hash bytea NOT NULL,
  ciphertext_root bytea NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  removed_at timestamptz,
  removal_no bigint REFERENCES dbgov.removal,
  manifest_deleted_at timestamptz,
  CHECK (manifest_deleted_at IS NULL OR removed_at IS NOT NULL)
);
CREATE INDEX snapshot_of_database ON dbgov.snapshot (database, captured_at DESC);

CREATE TABLE dbgov.snapshot_state (
  snapshot_no bigint NOT NULL REFERENCES dbgov.snapshot,
  state text NOT NULL CHECK (state IN ('captured', 'sealed', 'replicated', 'logged', 'anchored', 'verified', 'drilled')),
  reached_at timestamptz NOT NULL,
  evidence jsonb NOT NULL,
  PRIMARY KEY (snapshot_no, state)
);

-- References of live snapshots only: removing a snapshot deletes its rows here.
CREATE TABLE dbgov.snapshot_range (
  snapshot_no bigint NOT NULL REFERENCES dbgov.snapshot,
  range_no bigint NOT NULL REFERENCES dbgov.range,
  PRIMARY KEY (snapshot_no, range_no)
);
CREATE INDEX snapshot_range_range ON dbgov.snapshot_range (range_no);

-- The keyring. `object` is a range's id as hex, or a snapshot's id for its manifest.
CREATE TABLE dbgov.envelope (
  object text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('range', 'manifest')),
  version integer NOT NULL,
  kem bytea NOT NULL,
  wrapped bytea NOT NULL,
  PRIMARY KEY (object, recipient)
);

-- `receipt` is null for an object that may be in the store: it was about to be written there.
CREATE TABLE dbgov.replica (
  object text COLLATE "C" NOT NULL,
  store text COLLATE "C" NOT NULL,
  receipt text,
  bytes bigint NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  proven_at timestamptz,
  PRIMARY KEY (object, store)
);
CREATE INDEX replica_store ON dbgov.replica (store, proven_at);

CREATE TABLE dbgov.hold (
  id text COLLATE "C" PRIMARY KEY,
  database text COLLATE "C",       -- both null: everything
  snapshot text COLLATE "C",
  reason text NOT NULL,
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL,
  lifted_by text,
  lifted_at timestamptz
);

CREATE VIEW dbgov.live_snapshot AS
  SELECT s.*, EXISTS (
    SELECT FROM dbgov.hold h
    WHERE h.lifted_at IS NULL AND (h.database IS NULL OR h.database = s.database) AND (h.snapshot IS NULL OR h.snapshot = s.id)
  ) AS held
  FROM dbgov.snapshot s WHERE s.removed_at IS NULL;

-- What still has to go from the stores. Envelopes go at once, the rest after the grace period.
CREATE VIEW dbgov.doomed AS
  SELECT 'pack' AS kind, encode(p.id, 'hex') AS id, dbgov.pack_key(p.id) AS key, p.condemned_at
  FROM dbgov.pack p
  WHERE p.condemned_at IS NOT NULL
    AND (p.deleted_at IS NULL OR EXISTS (SELECT FROM dbgov.replica x WHERE x.object = dbgov.pack_key(p.id)))
  UNION ALL
  SELECT 'range', encode(r.id, 'hex'), dbgov.range_key(r.id), r.condemned_at
  FROM dbgov.range r
  WHERE r.condemned_at IS NOT NULL
    AND (r.deleted_at IS NULL OR EXISTS (SELECT FROM dbgov.replica x WHERE x.object = dbgov.range_key(r.id)))
  UNION ALL
  SELECT 'manifest', s.id, dbgov.manifest_key(s.id), s.removed_at
  FROM dbgov.snapshot s
  WHERE s.removed_at IS NOT NULL
    AND (s.manifest_deleted_at IS NULL OR EXISTS (SELECT FROM dbgov.replica x WHERE x.object = dbgov.manifest_key(s.id)))
  UNION ALL
  SELECT 'envelopes', encode(r.id, 'hex'), dbgov.envelopes_key(encode(r.id, 'hex')), '-infinity'
  FROM dbgov.range r
  WHERE r.condemned_at IS NOT NULL AND EXISTS (SELECT FROM dbgov.replica x WHERE x.object = dbgov.envelopes_key(encode(r.id, 'hex')))
  UNION ALL
  SELECT 'envelopes', s.id, dbgov.envelopes_key(s.id), '-infinity'
  FROM dbgov.snapshot s
  WHERE s.removed_at IS NOT NULL AND EXISTS (SELECT FROM dbgov.replica x WHERE x.object = dbgov.envelopes_key(s.id));
