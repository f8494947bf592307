-- For which snapshots an object's lock was reckoned: those captured until `covers`, each kept for `age`.
ALTER TABLE dbgov.protection ADD COLUMN covers timestamptz, ADD COLUMN age text;
