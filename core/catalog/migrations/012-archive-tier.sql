-- Copies that lie in an archive tier (`tier`): what is known of them without reading, and until when one that was brought back is left alone.
ALTER TABLE dbgov.protection
  ADD COLUMN md5 text,               -- as the service told it when it was archived, hex
  ADD COLUMN keep_until timestamptz; -- moved to no other tier before

-- When a copy that cannot be read was last looked at, and there as it was written.
ALTER TABLE dbgov.replica ADD COLUMN present_at timestamptz;
