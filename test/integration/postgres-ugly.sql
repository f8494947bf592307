-- A database with as many odd things as one usually meets in ten. Role names are put in by the test, since roles belong to the server.
CREATE SCHEMA "Odd ""Schema"" é.$1";
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'it''s the "app" \ schema';
CREATE EXTENSION citext SCHEMA app;

CREATE TYPE app.mood AS ENUM ('sad', 'o''k', 'très "heureux"', 'a,b');
CREATE DOMAIN app.percent AS numeric(5, 2) DEFAULT 0 CONSTRAINT "0 to 100" CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE TYPE app.address AS (street text, "zip code" varchar(10), tags text[]);
CREATE TYPE app.float_range AS RANGE (subtype = float8);

CREATE FUNCTION app.half(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $body$ SELECT x / 2; $body$;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  NEW.note := coalesce(NEW.note, '') || ' touched';
  RETURN NEW;
END $body$;
CREATE PROCEDURE app.nothing(INOUT x int) LANGUAGE plpgsql AS $$ BEGIN x := x + 1; END $$;
CREATE AGGREGATE app.product(float8) (SFUNC = float8mul, STYPE = float8, INITCOND = '1');

CREATE TABLE app.every_type (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 7) PRIMARY KEY,
  b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, ns numeric(30, 10), m money,
  t text, vc varchar(20), c char(8), ci app.citext, na name, by bytea, d date, ti time, tz time with time zone, ts timestamp, tstz timestamptz(3),
  iv interval, u uuid, j json, jb jsonb, x xml, bi bit(5), bv bit varying, ine inet, ci4 cidr, mac macaddr, pt point, li line, ls lseg, bx box,
  pa path, po polygon, cr circle, tv tsvector, tq tsquery, r4 int4range, rn numrange, rt tstzrange, mr int4multirange, fr app.float_range,
  mo app.mood, pc app.percent, ad app.address, ia integer[], ta text[][], ma app.mood[], aa app.address[], o oid, rc regclass, ls_n pg_lsn,
  halved integer GENERATED ALWAYS AS (app.half(i4)) STORED
);
INSERT INTO app.every_type (b, i2, i4, i8, f4, f8, n, ns, m, t, vc, c, ci, na, by, d, ti, tz, ts, tstz, iv, u, j, jb, x, bi, bv, ine, ci4, mac, pt, li, ls,
  bx, pa, po, cr, tv, tq, r4, rn, rt, mr, fr, mo, pc, ad, ia, ta, ma, aa, o, rc, ls_n) VALUES
 (true, -32768, 2147483647, -9223372036854775808, 'NaN', 'Infinity', 'NaN', 1.5000000000, -1234.56, E'tab\there\nnewline\r\\backslash \\. é 漢字 🎉', '  pad ', 'x',
  'CaseLess', 'naïve', '\x00ff0a5c', 'infinity', '24:00:00', '12:00:00+13:45', '-infinity', '1999-12-31 23:59:59.9995+05:30', '-1 year 3 days -04:05:06.789',
  '00000000-0000-0000-0000-000000000000', '{"a" :  1, "a": 2}', '{"z": [1, 2.50, null], "a": "\u00e9"}', NULL, B'10101', B'', '::ffff:1.2.3.4/128',
  '10.0.0.0/8', '08:00:2b:01:02:03', '(1e-300,-0)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),1.5>',
  'a:1A fat:2B,4C ''quo ted''', 'fat & (rat | !cat)', 'empty', '(,5.50]', '["2020-01-01 00:00+00",)', '{[1,3),[5,7)}', '[0.1,0.30000000000000004)', 'très "heureux"',
  99.99, ROW('1, "Main" St\', NULL, '{a,"b c",NULL}'), '[0:2]={1,NULL,3}', '{{a,"b,c"},{NULL,"NULL"}}', '{"a,b",sad}',
  ARRAY[ROW('s', '12', NULL)::app.address], 4294967295, 'pg_catalog.pg_class', '16/B374D848'),
 (NULL, NULL, NULL, NULL, '-Infinity', '-0', '-Infinity', 0, NULL, '', '', '', NULL, NULL, '', '4713-01-01 BC', '00:00', NULL, '294276-12-31 23:59:59.999999',
  '-infinity', 'P0', NULL, 'null', 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', NULL,
  NULL, NULL, NULL, '{}', '{}', '{}', '{}', NULL, NULL, NULL),
 (false, 0, -1, 1, 1.1754944e-38, 4.9e-324, 123456789012345678901234567890.123456789, -0.0000000001, 0, '\N', E'\\N', E'\t', 'é', 'x', decode(repeat('00', 3000), 'hex'),
  'today'::date - 'today'::date + date '2000-02-29', '12:34:56.000001', '00:00-15:59', '0001-01-01 BC', '2026-11-24 00:00:00+00', 'P1Y2M3DT4H5M6S', gen_random_uuid(),
  '[]', '{}', NULL, B'00000', B'1', '2001:db8::/32', '::/0', 'ff:ff:ff:ff:ff:ff', '(NaN,Infinity)', '{0,1,0}', '[(-1,-1),(1e10,1)]', '(3,3),(-2,-2)', '((0,0))', '((0,0))',
  '<(0,0),0>', '', '''a b'' <-> c', '[1,10)', 'empty', '(-infinity,infinity)', '{(,)}', '(,)', 'sad', 0, ROW(NULL, NULL, NULL), '{{1,2},{3,4}}', '{}', '{}', '{}', 0, NULL, '0/0');

CREATE TABLE "Odd ""Schema"" é.$1"."Tab.le ""x"" \ $2" ("select" integer PRIMARY KEY, "Col.umn ""é"" $3" text DEFAULT 'it''s', "漢字" text COLLATE "C", "back\slash" text);
INSERT INTO "Odd ""Schema"" é.$1"."Tab.le ""x"" \ $2" SELECT i, 'row ' || i, repeat('漢', i % 7), E'\\' FROM generate_series(1, 500) i;
COMMENT ON COLUMN "Odd ""Schema"" é.$1"."Tab.le ""x"" \ $2"."漢字" IS 'has 漢字 and ''quotes''';
CREATE INDEX "Ind ex" ON "Odd ""Schema"" é.$1"."Tab.le ""x"" \ $2" (lower("Col.umn ""é"" $3")) WHERE "select" > 10;

CREATE TABLE app.empty (id serial PRIMARY KEY, note text);
CREATE TABLE app.without_columns ();
INSERT INTO app.without_columns SELECT FROM generate_series(1, 3);
CREATE TABLE app.only_generated (g integer GENERATED ALWAYS AS (42) STORED);
INSERT INTO app.only_generated DEFAULT VALUES;
CREATE TABLE app.dropped_column (a integer, b text, c integer);
INSERT INTO app.dropped_column VALUES (1, 'gone', 3);
ALTER TABLE app.dropped_column DROP COLUMN b;
ALTER TABLE app.dropped_column ADD COLUMN late text DEFAULT 'late';
CREATE UNLOGGED TABLE app.unlogged (a integer);
INSERT INTO app.unlogged VALUES (1), (2);
CREATE TABLE app.huge (id integer, content text);
INSERT INTO app.huge VALUES (1, repeat('0123456789abcdef', 60 * 65536)), (2, 'small');

CREATE TABLE app.parts (id integer NOT NULL, at date NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.parts_2025 PARTITION OF app.parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (id);
CREATE TABLE app.parts_2025_odd PARTITION OF app.parts_2025 FOR VALUES IN (1, 3, 5);
CREATE TABLE app.parts_2025_rest (note text, at date NOT NULL, id integer NOT NULL);
ALTER TABLE app.parts_2025 ATTACH PARTITION app.parts_2025_rest DEFAULT;
CREATE TABLE app.parts_default PARTITION OF app.parts DEFAULT;
INSERT INTO app.parts SELECT i, date '2025-01-01' + i * 100, 'part ' || i FROM generate_series(1, 8) i;

CREATE TABLE app.parent (id integer PRIMARY KEY, note text);
CREATE TABLE app.child (extra integer) INHERITS (app.parent);
INSERT INTO app.parent VALUES (1, 'parent');
INSERT INTO app.child VALUES (2, 'child', 22);

CREATE TABLE app.hens (id integer PRIMARY KEY, egg integer);
CREATE TABLE app.eggs (id integer PRIMARY KEY, hen integer REFERENCES app.hens);
INSERT INTO app.hens VALUES (1, 1), (2, 2);
INSERT INTO app.eggs VALUES (1, 2), (2, 1);
ALTER TABLE app.hens ADD CONSTRAINT hens_egg FOREIGN KEY (egg) REFERENCES app.eggs DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE app.eggs ADD CONSTRAINT not_checked CHECK (id > 1) NOT VALID;

CREATE VIEW app.birds AS SELECT h.id, e.id AS egg_id FROM app.hens h JOIN app.eggs e ON e.hen = h.id;
CREATE MATERIALIZED VIEW app.b_counts AS SELECT count(*) AS n FROM app.birds;
CREATE VIEW app.through AS SELECT n + 1 AS n FROM app.b_counts;
CREATE MATERIALIZED VIEW app.a_second AS SELECT n * 2 AS n FROM app.through;
CREATE UNIQUE INDEX ON app.a_second (n);
CREATE MATERIALIZED VIEW app.not_populated AS SELECT 1 AS one WITH NO DATA;

CREATE SEQUENCE app."Seq ""1""" START WITH -5 INCREMENT BY -3 MINVALUE -1000 MAXVALUE 10 CYCLE;
SELECT nextval('app."Seq ""1"""'), nextval('app."Seq ""1"""');
CREATE SEQUENCE app.never_called START WITH 42;

CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON app.empty FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE app.triggered (id integer, note text);
INSERT INTO app.triggered VALUES (1, 'as it was');
CREATE TRIGGER touched BEFORE INSERT ON app.triggered FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.triggered ENABLE ALWAYS TRIGGER touched;
CREATE TABLE app.ruled (id integer);
INSERT INTO app.ruled VALUES (7);
CREATE RULE nothing AS ON INSERT TO app.ruled DO INSTEAD NOTHING;

CREATE TABLE app.secured (id integer, owner name DEFAULT current_user, secret text);
INSERT INTO app.secured VALUES (1, 'someone', 'hidden'), (2, 'postgres', 'seen');
ALTER TABLE app.secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.secured FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.secured TO ROLE_A USING (owner = current_user);
CREATE TABLE app.owned (id integer);
ALTER TABLE app.owned OWNER TO ROLE_A;
GRANT SELECT, UPDATE ON app.empty TO ROLE_A;
GRANT USAGE ON SCHEMA app TO ROLE_A;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO ROLE_A;
CREATE STATISTICS app.correlated (dependencies) ON id, note FROM app.parts;
CREATE PUBLICATION some_tables FOR TABLE app.empty, app.hens;
CREATE TEXT SEARCH CONFIGURATION app.searching (COPY = simple);
CREATE COLLATION app.posix FROM "C";
CREATE OPERATOR app.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.int4eq);
SELECT lo_from_bytea(70001, '\x'), lo_from_bytea(70002, decode(repeat('00ff0a5c', 50000), 'hex')), lo_from_bytea(70003, 'small');
SELECT lo_put(70003, 300000, 'after a hole');
COMMENT ON LARGE OBJECT 70002 IS 'it''s large';
GRANT SELECT ON LARGE OBJECT 70002 TO ROLE_A WITH GRANT OPTION;
GRANT UPDATE ON LARGE OBJECT 70002 TO PUBLIC;
ALTER LARGE OBJECT 70003 OWNER TO ROLE_A;
