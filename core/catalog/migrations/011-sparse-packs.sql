-- How much of each pack is needed, and which packs are on their way out because it is little. Filled by retention, also after a catalog was rebuilt.

-- What a range refers to, as retention has read it; null until then. `content_bytes` is what must be captured to have the range again.
ALTER TABLE dbgov.range ADD COLUMN content_bytes bigint;
-- `used` has each chunk of the pack that the range refers to, once: its offset and its stored bytes (core/repository/pack-use.ts).
ALTER TABLE dbgov.range_pack ADD COLUMN used_bytes bigint, ADD COLUMN used bytea;
CREATE INDEX range_unread ON dbgov.range (range_no) WHERE content_bytes IS NULL AND condemned_at IS NULL;

-- Packs of which little is needed, as the last retention run found them: written anew by each. While a pack is retiring, captures do not
-- refer to its chunks but write them again, so that it goes with the last snapshot that needs it. Other verdicts say what it waits for.
CREATE TABLE dbgov.sparse_pack (
  pack_no bigint PRIMARY KEY REFERENCES dbgov.pack,
  live_bytes bigint NOT NULL,      -- of chunks that living snapshots need
  needed_bytes bigint NOT NULL,    -- of those that the newest snapshots need
  verdict text COLLATE "C" NOT NULL,
  until timestamptz,               -- until when it waits, where that is known
  retiring boolean NOT NULL,
  found_at timestamptz NOT NULL
);
