// What arlocal's query builder uses of the npm package sqlite3, on the SQLite that Node brings: nothing native to compile.
const { DatabaseSync } = require("node:sqlite");

const toSqlite = (value) => {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (value instanceof Date) return BigInt(value.getTime());
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value) ? String(value) : value;
};

const fromSqlite = (value) => {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
};

class Database {
  constructor(path, _flags, done) {
    try {
      this.database = new DatabaseSync(path, { enableForeignKeyConstraints: false, enableDoubleQuotedStringLiterals: true });
      setImmediate(done, null);
    } catch (error) {
      setImmediate(done, error);
    }
  }

  /** Calls `done` as the package does: with the outcome as `this`, never before it returns. */
  attempt(work, done) {
    let outcome;
    try {
      outcome = work();
    } catch (error) {
      setImmediate(done, error);
      return;
    }
    setImmediate(() => done.call(outcome.context ?? this, null, outcome.rows));
  }

  run(sql, values, done) {
    this.attempt(() => {
      const { changes, lastInsertRowid } = this.database.prepare(sql).run(...(values ?? []).map(toSqlite));
      return { context: { changes: Number(changes), lastID: Number(lastInsertRowid) } };
    }, done);
  }

  all(sql, values, done) {
    this.attempt(() => {
      const statement = this.database.prepare(sql);
      // Larger integers than a number holds exactly would be refused; the package rounds them.
      statement.setReadBigInts(true);
      const rows = statement.all(...(values ?? []).map(toSqlite));
      return { rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, fromSqlite(value)]))) };
    }, done);
  }

  close(done) {
    this.attempt(() => {
      this.database.close();
      return {};
    }, done);
  }
}

module.exports = { Database, OPEN_READWRITE: 2, OPEN_CREATE: 4 };
