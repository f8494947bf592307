-- Who may ask the audit API, and how often they did. Not rebuilt with a catalog: auditors are then given new tokens.

CREATE TABLE dbgov.audit_token (
  id text COLLATE "C" PRIMARY KEY,
  auditor text NOT NULL,
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),  -- SHA-256 of the token; the token itself is kept nowhere
  databases text[],                -- null: all, also those to come
  kinds text[],
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);

-- `summary` is empty while requests are counted. Closing a summary names its rows, so that appending it to the log can be tried again.
CREATE TABLE dbgov.audit_access (
  day date NOT NULL,
  summary text COLLATE "C" NOT NULL DEFAULT '',
  token text COLLATE "C" NOT NULL REFERENCES dbgov.audit_token,
  route text COLLATE "C" NOT NULL,
  requests bigint NOT NULL,
  logged_at timestamptz,
  PRIMARY KEY (day, summary, token, route)
);
CREATE INDEX audit_access_open ON dbgov.audit_access (day) WHERE logged_at IS NULL;

CREATE INDEX log_entry_at ON dbgov.log_entry (at);
