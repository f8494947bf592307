import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describe as describeAddress,
  libpqEnvironment,
  parseAddress,
  withDatabase,
  withoutPassword,
} from "../../core/databases/postgres/address.ts";
import { CopyError, toFailure } from "../../core/databases/postgres/failures.ts";
import { isFailure } from "../../core/domain/failure.ts";

const secret = "s3cr3t/@:é";
const encoded = encodeURIComponent(secret);

describe("a PostgreSQL URL", () => {
  it("is read as libpq reads it", () => {
    const address = parseAddress(
      `postgresql://me%40corp:${encoded}@db.example.com:6000/my%2Fshop?sslmode=verify-full&options=endpoint%3Dx`,
    );
    assert.deepEqual(
      {
        host: address.host,
        port: address.port,
        user: address.user,
        password: address.password,
        database: address.database,
        tls: address.tls,
      },
      { host: "db.example.com", port: 6000, user: "me@corp", password: secret, database: "my/shop", tls: "verify-full" },
    );
    assert.equal(address.options, "endpoint=x");
    assert.equal(parseAddress("postgres://u@h").port, 5432);
    assert.equal(parseAddress("postgres://u@h").database, "u");
    assert.equal(parseAddress("postgres://u@h").tls, "prefer");
    assert.equal(parseAddress("postgres://u@127.0.0.1").tls, "disable");
    assert.equal(parseAddress("postgres://u@[::1]:5433/d").host, "::1");
    assert.equal(parseAddress("postgres://u@%2Fvar%2Frun%2Fpostgresql/d").host, "/var/run/postgresql");
    assert.equal(parseAddress("postgres:///d?host=/tmp&user=u").host, "/tmp");
  });

  it("that is wrong is a ConfigurationInvalid without the password, in text and cause", () => {
    const wrong = [
      `postgres://u:${secret}@h:99999/d`,
      `postgres://u:${encoded}@h:0/d`,
      `mysql://u:${encoded}@h/d`,
      `postgres://u:${encoded}%zz@h/d`,
      `postgres://u:${encoded}@h/d?sslmode=always`,
      `postgres://u:${encoded}@h/d?host=a,b`,
      `${secret}`,
    ];
    for (const url of wrong)
      assert.throws(
        () => parseAddress(url),
        (error) => {
          assert.ok(isFailure(error, "ConfigurationInvalid"), String(error));
          assert.ok(!`${error.message} ${JSON.stringify(error.cause)}`.includes("s3cr3t"), error.message);
          return true;
        },
      );
  });

  it("gives another database of the same server, whatever its name", () => {
    const changed = withDatabase(`postgres://u:${encoded}@h:1/a?sslmode=require`, 'odd "name" é/?#%');
    assert.equal(parseAddress(changed).database, 'odd "name" é/?#%');
    assert.equal(parseAddress(changed).password, secret);
    assert.equal(parseAddress(changed).tls, "require");
  });

  it("reaches programs by their environment, and texts never", () => {
    const address = parseAddress(`postgres://u:${encoded}@h:1/a`);
    assert.equal(libpqEnvironment(address).PGPASSWORD, secret);
    assert.equal(describeAddress(address), 'database "a" at h:1');
    assert.equal(withoutPassword(address, `x ${secret} y ${encoded}`), "x *** y ***");
  });
});

describe("an error of PostgreSQL", () => {
  const address = parseAddress(`postgres://u:${encoded}@h:1/a`);
  const type = (code: string, purpose: "read" | "restore" = "read") =>
    toFailure(new CopyError(code, `no ${secret}`, "ERROR"), address, purpose).type;
  it("becomes the failure that says what to do", () => {
    assert.equal(type("28P01"), "AuthenticationRejected");
    assert.equal(type("28000"), "AuthenticationRejected");
    assert.equal(type("3D000"), "DatabaseMissing");
    assert.equal(type("42501"), "PermissionMissing");
    assert.equal(type("57P03"), "DatabaseUnreachable");
    assert.equal(type("53300"), "DatabaseUnreachable");
    assert.equal(type("57P01"), "DatabaseUnreachable");
    assert.equal(type("42P01"), "SourceChanged");
    assert.equal(type("42703"), "SourceChanged");
    assert.equal(type("42P01", "restore"), "RestoreFailed");
    assert.equal(type("53100", "restore"), "RestoreFailed");
    assert.equal(type("XX000"), "Unexpected");
    assert.equal(toFailure(Object.assign(new Error("x"), { code: "ECONNREFUSED" }), address, "read").type, "DatabaseUnreachable");
    assert.equal(toFailure(new TypeError(`about ${secret}`), address, "read").type, "Unexpected");
  });
  it("is told without the password", () => {
    assert.ok(!toFailure(new CopyError("XX000", `no ${secret}`, "ERROR"), address, "read").message.includes("s3cr3t"));
    assert.ok(!toFailure(new TypeError(`about ${secret}`), address, "read").message.includes("s3cr3t"));
  });
});
