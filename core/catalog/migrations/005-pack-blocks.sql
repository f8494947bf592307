-- Hashes of a pack's blocks, 32 bytes each, kept once somebody has read the pack for them: the proof of a single block needs its siblings.
-- They are checked against the pack's root whenever they are used.
CREATE TABLE dbgov.pack_blocks (
  pack_no bigint PRIMARY KEY REFERENCES dbgov.pack,
  hashes bytea NOT NULL
);
