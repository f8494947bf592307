-- What real databases have and TPC-H has not. All of it follows from TPC-H's rows, so that it is the same every time.
CREATE SCHEMA "Filiale Süd";
COMMENT ON SCHEMA "Filiale Süd" IS 'the branch that names things as it likes: it''s allowed';
CREATE TYPE event_kind AS ENUM ('placed', 'paid', 'shipped', 'returned', 'it''s complicated');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%_@_%');
CREATE DOMAIN percentage AS numeric(5, 2) DEFAULT 0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE parcel AS (weight numeric, "size in cm" integer[], fragile boolean);
CREATE SEQUENCE invoice_number START WITH 10000 INCREMENT BY 7;

CREATE FUNCTION net_price(price numeric, discount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN round(price * (1 - discount), 2);
COMMENT ON FUNCTION net_price(numeric, numeric) IS 'without tax';
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  NEW.changed_at := now();
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END $body$;

CREATE TABLE customer_profile (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  custkey integer NOT NULL UNIQUE REFERENCES customer,
  email email,
  rating numeric,
  balance_exact numeric(30, 12),
  discount percentage NOT NULL,
  score double precision,
  member_since timestamptz,
  last_call timestamp,
  tags text[],
  preferences jsonb,
  raw_form json,
  avatar bytea,
  device uuid,
  address inet,
  working_hours tstzrange,
  patience interval,
  name_upper text GENERATED ALWAYS AS (upper(coalesce(email, '-'))) STORED,
  revision integer NOT NULL DEFAULT 1,
  changed_at timestamptz
);
-- beside that
CREATE TABLE price_history (
  partkey integer NOT NULL,
  suppkey integer NOT NULL,
  changed_at date NOT NULL,
  cost numeric(20, 6) NOT NULL,
  note text,
  PRIMARY KEY (partkey, suppkey, changed_at)
) PARTITION BY RANGE (changed_at);
CREATE TABLE price_history_1996 PARTITION OF price_history FOR VALUES FROM ('1996-01-01') TO ('1997-01-01');
CREATE TABLE price_history_1997 PARTITION OF price_history FOR VALUES FROM ('1997-01-01') TO ('1998-01-01') PARTITION BY HASH (partkey);
CREATE TABLE price_history_1997_even PARTITION OF price_history_1997 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE price_history_1997_odd PARTITION OF price_history_1997 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE price_history_other PARTITION OF price_history DEFAULT;
INSERT INTO price_history
  SELECT ps_partkey, ps_suppkey, date '1996-01-01' + (ps_partkey * 7 + ps_suppkey) % 1200, ps_supplycost / 7,
    CASE WHEN ps_partkey % 5 = 0 THEN left(ps_comment, 40) END
  FROM partsupp WHERE ps_partkey % 2 = 0;
CREATE INDEX price_history_cost ON price_history (cost DESC) WHERE cost > 100;
-- and then
INSERT INTO customer_profile (custkey, email, rating, balance_exact, discount, score, member_since, last_call, tags, preferences, raw_form, avatar, device,
    address, working_hours, patience)
  SELECT c_custkey,
    CASE WHEN c_custkey % 9 > 0 THEN format('kunde.%s@%s.example', c_custkey, CASE WHEN c_custkey % 4 = 0 THEN 'müller-söhne' ELSE 'shop' END) END,
    CASE c_custkey % 13 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL WHEN 2 THEN 'Infinity' WHEN 3 THEN 1.50000000000000000000000 WHEN 4 THEN -0.000000000000000000001
      ELSE c_acctbal / c_custkey END,
    c_acctbal / 3,
    c_custkey % 101,
    CASE c_custkey % 17 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN '-0' WHEN 3 THEN 1e-300 ELSE c_acctbal::float8 / 3 END,
    CASE WHEN c_custkey % 23 = 0 THEN 'infinity' ELSE timestamptz '1999-12-31 23:59:59.999999+05:45' + c_custkey * interval '7 hours 13.000001 seconds' END,
    CASE WHEN c_custkey % 3 = 0 THEN timestamp '2024-02-29 12:00' - c_custkey * interval '1 day' END,
    CASE c_custkey % 6 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['a,b', 'quo"ted', NULL, 'NULL'] WHEN 3 THEN ARRAY[E'tab\there', E'line\nbreak', E'back\\slash']
      ELSE string_to_array(left(c_comment, 30), ' ') END,
    CASE WHEN c_custkey % 7 > 0 THEN jsonb_build_object('segment', trim(c_mktsegment), 'über', c_custkey, 'nested', jsonb_build_array(1.50, NULL, true, '漢字 🎉')) END,
    format('{"b" :  %s, "a": 1, "a": 2}', c_custkey)::json,
    CASE WHEN c_custkey % 11 > 0 THEN sha512(convert_to(c_name, 'UTF8')) ELSE '\x' END,
    md5(c_name)::uuid,
    CASE WHEN c_custkey % 2 = 0 THEN inet '10.0.0.0' + c_custkey ELSE inet '2001:db8::' + c_custkey END,
    CASE WHEN c_custkey % 8 > 0 THEN tstzrange(timestamptz '2024-01-01 08:00+01' + c_custkey * interval '1 hour', NULL) ELSE 'empty' END,
    make_interval(months => c_custkey % 40, secs => c_custkey / 7.0)
  FROM customer ORDER BY c_custkey;
CREATE INDEX customer_profile_tags ON customer_profile USING gin (tags);
CREATE INDEX customer_profile_preferences ON customer_profile USING gin (preferences jsonb_path_ops);
CREATE INDEX "profile by upper name" ON customer_profile (lower(email) NULLS FIRST, rating DESC) INCLUDE (custkey);
CREATE TRIGGER noted BEFORE UPDATE ON customer_profile FOR EACH ROW EXECUTE FUNCTION note_change();
UPDATE customer_profile SET discount = 99.5 WHERE custkey % 10 = 0; -- dead rows, and rows that have moved
-- beside that
CREATE TABLE order_event (
  id bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 1000) PRIMARY KEY,
  orderkey bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  invoice bigint NOT NULL DEFAULT nextval('invoice_number'),
  kind event_kind NOT NULL,
  at timestamptz NOT NULL,
  contents parcel,
  history event_kind[],
  payload jsonb
);
INSERT INTO order_event (orderkey, kind, at, contents, history, payload)
  SELECT o_orderkey, (enum_range(NULL::event_kind))[1 + o_orderkey % 5], o_orderdate + o_orderkey % 86400 * interval '1.000001 second',
    CASE WHEN o_orderkey % 3 = 0 THEN ROW(o_totalprice / 7, ARRAY[o_orderkey % 50, NULL, 3], o_orderkey % 2 = 0)::parcel END,
    CASE WHEN o_orderkey % 4 > 0 THEN (enum_range(NULL::event_kind))[1:o_orderkey % 5] END,
    jsonb_build_object('clerk', trim(o_clerk), 'total', o_totalprice, 'at', o_orderdate)
  FROM orders WHERE o_orderkey % 4 < 2 ORDER BY o_orderkey;
CREATE INDEX order_event_at ON order_event USING brin (at);
CREATE TABLE "Filiale Süd"."Bestellung & ""Notiz""" (
  "Nummer" bigint PRIMARY KEY REFERENCES orders,
  "Größe (cm)" numeric(8, 3),
  "select" text DEFAULT 'it''s "quoted"',
  "备注 🎉" text COLLATE "C",
  "back\slash" text NOT NULL
);
COMMENT ON TABLE "Filiale Süd"."Bestellung & ""Notiz""" IS 'names with spaces, quotes and Unicode';
COMMENT ON COLUMN "Filiale Süd"."Bestellung & ""Notiz"""."备注 🎉" IS 'notes, in whatever script';
INSERT INTO "Filiale Süd"."Bestellung & ""Notiz"""
  SELECT o_orderkey, CASE WHEN o_orderkey % 7 > 0 THEN o_totalprice / 1000 END, CASE WHEN o_orderkey % 2 = 0 THEN E'tab\there\nand there' ELSE '\N' END,
    CASE WHEN o_orderkey % 3 = 0 THEN repeat('漢字 🎉 ', (o_orderkey % 5)::integer) END, E'C:\\' || o_orderkey || E'\\.'
  FROM orders WHERE o_orderkey % 32 = 1;
CREATE TABLE "Filiale Süd"."leer" (id serial PRIMARY KEY, nichts text);
CREATE TABLE archive_scan (id integer PRIMARY KEY, scan bytea, pages integer[][]);
INSERT INTO archive_scan SELECT i, decode(repeat(md5(i::text), 40 * i), 'hex'), ARRAY[[i, 2], [3, NULL]] FROM generate_series(1, 200) i;
-- and then
CREATE VIEW revenue AS
  SELECT n_name AS nation, date_trunc('year', l_shipdate::timestamp)::date AS year, sum(net_price(l_extendedprice, l_discount)) AS revenue
  FROM lineitem JOIN supplier ON s_suppkey = l_suppkey JOIN nation ON n_nationkey = s_nationkey GROUP BY 1, 2;
CREATE VIEW "Filiale Süd".offen WITH (security_barrier) AS SELECT o.*, e.kind FROM orders o LEFT JOIN order_event e ON e.orderkey = o.o_orderkey WHERE o_orderstatus = 'O';
CREATE MATERIALIZED VIEW best_customers AS
  SELECT c_custkey, c_name, sum(o_totalprice) AS total FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY c_custkey, c_name ORDER BY total DESC LIMIT 500;
CREATE UNIQUE INDEX ON best_customers (c_custkey);
SELECT nextval('invoice_number'), setval('"Filiale Süd".leer_id_seq', 42, false);
ANALYZE;
