#!/bin/sh
# Runs once, on an empty PostgreSQL: a role and databases for the catalog and for Temporal, each with its own password.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v catalog_password="$CATALOG_PASSWORD" -v temporal_password="$TEMPORAL_PASSWORD" <<'SQL'
create role dbgov login password :'catalog_password';
create database dbgov owner dbgov;
create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
