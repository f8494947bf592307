import { progressToStderr } from "../stack/progress.ts";
import { findPostgresVersion, type PostgresMajor } from "../stack/setup/postgres-versions.ts";
import { startPrivatePostgres } from "./compliance-private-postgres.ts";
import { type Server, serverAt } from "./postgres-support.ts";

/** A server of one version, for one test, with TLS. */
export interface VersionServer {
  readonly server: Server;
  /** Path of the certificate that clients must trust. */
  readonly authority: string;
  /** Creates a tablespace in a folder of its own. */
  tablespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** `bin` has client programs at least as new. */
export const startVersion = async (
  major: PostgresMajor,
  bin: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<VersionServer> => {
  const running = await startPrivatePostgres(await findPostgresVersion(major, progressToStderr), {
    initdb: ["--auth=scram-sha-256"],
    settings: { wal_level: "logical", ...settings },
    hostRules: ["local all all trust", "host all all all scram-sha-256", "host replication all all scram-sha-256"],
    tls: true,
  });
  const server = serverAt(running.url, bin);
  return {
    server,
    authority: running.authority,
    tablespace: async (name) => {
      const [data] = await server.sql<{ data_directory: string }>(server.url, "SHOW data_directory");
      const place = `${data!.data_directory}-${name.replaceAll(/\W/g, "-")}`;
      await server.sql(server.url, `COPY (SELECT) TO PROGRAM 'mkdir -p ${place} && cat >/dev/null'`);
      await server.sql(server.url, `CREATE TABLESPACE "${name}" LOCATION '${place}'`);
    },
    stop: () => running.stop(),
  };
};
