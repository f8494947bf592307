-- Packs that share erasure-coded parity, and the objects that hold it. Where these lie, `replica` says, as of every object.
CREATE TABLE dbgov.parity_group (
  group_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  policy text COLLATE "C" NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE dbgov.parity_member (
  group_no bigint NOT NULL REFERENCES dbgov.parity_group ON DELETE CASCADE,
  position integer NOT NULL,
  pack_no bigint NOT NULL UNIQUE REFERENCES dbgov.pack,
  PRIMARY KEY (group_no, position)
);
CREATE TABLE dbgov.parity_piece (
  group_no bigint NOT NULL REFERENCES dbgov.parity_group ON DELETE CASCADE,
  piece integer NOT NULL,
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 32),
  PRIMARY KEY (group_no, piece)
);
