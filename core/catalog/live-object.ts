/**
 * A condition in SQL: the object with this key has not begun to be deleted. Keys of no known kind are live. The keys are taken apart rather than
 * put together, so that indexes of ids find them.
 */
export const liveObject = (key: string): string => `CASE split_part(${key}, '/', 1)
  WHEN 'packs' THEN EXISTS (SELECT FROM dbgov.pack p WHERE p.id = decode(right(${key}, 64), 'hex') AND p.deleted_at IS NULL)
  WHEN 'ranges' THEN EXISTS (SELECT FROM dbgov.range g WHERE g.id = decode(right(${key}, 64), 'hex') AND g.deleted_at IS NULL)
  WHEN 'manifests' THEN EXISTS (SELECT FROM dbgov.snapshot s WHERE s.id = split_part(${key}, '/', 2) AND s.removed_at IS NULL)
  WHEN 'envelopes' THEN EXISTS (SELECT FROM dbgov.envelope e WHERE e.object = split_part(${key}, '/', 2))
  WHEN 'parity' THEN EXISTS (SELECT FROM dbgov.parity_piece k WHERE k.id = decode(right(${key}, 64), 'hex'))
  ELSE true END`;
