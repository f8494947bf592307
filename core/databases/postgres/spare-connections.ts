import type { Session } from "./session.ts";

/**
 * How many more connections the server would give to this session's role now: the least of what server, database and role allow.
 * Others of the role may come meanwhile. Where the role may not see whose sessions there are, those of others count as none.
 */
export const spareConnections = async (session: Session): Promise<number> => {
  const [found] = await session.query<{ spare: number | null }>(`
    SELECT least(
      (SELECT nullif(rolconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid AND a.backend_type = 'client backend')
        FROM pg_roles r WHERE r.rolname = session_user AND NOT r.rolsuper),
      (SELECT nullif(datconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend')
        FROM pg_database d WHERE d.datname = current_database()),
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
    )::int AS spare`);
  return Math.max(0, found?.spare ?? 0);
};
