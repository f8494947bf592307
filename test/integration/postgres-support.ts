import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import type { Plan, RestoreOptions, RowsStream } from "../../core/databases/engine.ts";
import { libpqEnvironment, parseAddress } from "../../core/databases/postgres/address.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { runSteps } from "../../core/snapshot/run-steps.ts";
import { useStack } from "../stack/use-stack.ts";

export const never = new AbortController().signal;

/** Names of this test process alone. */
export const uniqueName = (base: string): string => `test_${base}_${randomBytes(4).toString("hex")}`;

export interface Server {
  readonly url: string;
  readonly bin: string;
  /** A new empty database, dropped by `cleanUp`. */
  database(base: string): Promise<string>;
  /** A new role that may log in, dropped by `cleanUp`. */
  role(base: string, options?: string): Promise<{ name: string; password: string }>;
  /** Rows of statements, at the database of `url`. */
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(url: string, text: string): Promise<Row[]>;
  /** What a program of PostgreSQL's own prints, told the address by its environment. */
  run(program: string, url: string, ...args: string[]): Promise<Buffer>;
  cleanUp(): Promise<void>;
}

const query = async <Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Row>(text);
    return result.rows ?? [];
  } finally {
    await client.end();
  }
};

export const useServer = async (): Promise<Server> => {
  const { url, bin } = (await useStack("postgres")).postgres;
  return serverAt(url, bin);
};

/** `bin` has the client programs. */
export const serverAt = (url: string, bin: string): Server => {
  const databases: string[] = [];
  const roles: string[] = [];
  return {
    url,
    bin,
    sql: query,
    database: async (base) => {
      const name = uniqueName(base);
      databases.push(name);
      return postgres.createScratch(url, name, never);
    },
    role: async (base, options = "LOGIN") => {
      const name = uniqueName(base);
      const password = `Pw-${randomBytes(8).toString("hex")}`;
      await query(url, `CREATE ROLE ${name} ${options} PASSWORD '${password}'`);
      roles.push(name);
      return { name, password };
    },
    run: async (program, at, ...args) => {
      const env = {
        ...libpqEnvironment(parseAddress(at)),
        PGTZ: "UTC",
        PGDATESTYLE: "ISO",
        PGOPTIONS: "-c extra_float_digits=3 -c row_security=off -c lc_monetary=C",
      };
      const { stdout } = await promisify(execFile)(join(bin, program), args, { env, encoding: "buffer", maxBuffer: 1 << 30 });
      return stdout;
    },
    cleanUp: async () => {
      for (const name of databases) await postgres.dropScratch(url, name, never);
      for (const name of roles) await query(url, `DROP ROLE IF EXISTS ${name}`);
    },
  };
};

export const asRole = (url: string, role: { name: string; password: string }): string => {
  const changed = new URL(url);
  changed.username = role.name;
  changed.password = role.password;
  return changed.href;
};

export interface Captured {
  readonly plan: Plan;
  /** By stream name; one buffer per part. */
  readonly parts: ReadonlyMap<string, Buffer[]>;
}

/** All bytes of a database, part by part, as workers would read them. */
export const capture = async (url: string, partBytes: number): Promise<Captured> => {
  const hold = await postgres.hold(url, never);
  try {
    const plan = await postgres.plan(url, hold.token, { partBytes }, never);
    const parts = new Map<string, Buffer[]>();
    for (const stream of plan.streams) {
      const contents: Buffer[] = [];
      for (const part of stream.parts) contents.push(await collect(postgres.read(url, hold.token, stream, part, never)));
      parts.set(stream.name, contents);
    }
    return { plan, parts };
  } finally {
    await hold.close();
  }
};

/** Copies each block, since it is valid only until the next is asked for. */
export const collect = async (blocks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const copies: Buffer[] = [];
  for await (const block of blocks) copies.push(Buffer.from(block));
  return Buffer.concat(copies);
};

/** One and the same buffer again and again, as a reader of stored chunks may do. */
export async function* inBlocks(content: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(size);
  for (let at = 0; at < content.length; at += size) {
    const piece = content.subarray(at, at + size);
    block.set(piece);
    yield block.subarray(0, piece.length);
    block.fill(0);
  }
}

export const restore = async (
  url: string,
  captured: Captured,
  options: Partial<Omit<RestoreOptions, "definitions">> = {},
): Promise<readonly string[]> => {
  const { streams } = captured.plan;
  const definitions = streams
    .filter((stream) => stream.kind === "definition")
    .map((stream) => ({ name: stream.name, target: stream.target, content: Buffer.concat(captured.parts.get(stream.name)!) }));
  const restoration = await postgres.restore(url, { replace: false, parallelism: 2, ...options, definitions }, never);
  try {
    await restoration.prepare();
    const write = async (stream: RowsStream): Promise<void> => {
      const contents = captured.parts.get(stream.name)!;
      // Tables are taken for large ones, which are written otherwise than small ones.
      if (restoration.whole?.isBetter(stream, 1 << 20, 1 << 20) === true)
        await restoration.whole.write(stream, inBlocks(Buffer.concat(contents), 70_001), []);
      else for (const content of contents) await restoration.write(stream, inBlocks(content, 70_001));
    };
    const steps = streams
      .filter(({ kind }) => kind === "rows")
      .map((stream) => ({ size: 0, run: () => write(stream).then(() => restoration.completed?.(stream, 0) ?? []) }));
    await runSteps(steps, 2);
    await restoration.finish();
    return (restoration as { notes?: readonly string[] }).notes ?? [];
  } finally {
    await restoration.close();
  }
};
