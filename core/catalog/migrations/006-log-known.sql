-- How much of the log is in the catalog without a gap, as far as somebody has counted: entries are never deleted, so nobody need count that again.
CREATE TABLE dbgov.log_known (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  size bigint NOT NULL
);
INSERT INTO dbgov.log_known (size) VALUES (0);
