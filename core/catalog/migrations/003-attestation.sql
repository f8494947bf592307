-- Who attests the log's head from outside, and what is on its way there.

-- What the submitters' accounts have signed. At most one nonce of a chain is open at a time; replacements share it.
CREATE TABLE dbgov.chain_transaction (
  chain_id bigint NOT NULL,
  account text COLLATE "C" NOT NULL,
  nonce bigint NOT NULL,
  transaction text COLLATE "C" NOT NULL,
  anchor text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  raw text NOT NULL,                -- as it was broadcast, so that it can be again
  fee numeric(78) NOT NULL,         -- offered per gas, in wei
  tip numeric(78) NOT NULL,
  max_cost numeric(78) NOT NULL,    -- in wei
  cost numeric(78),                 -- paid, once it is final
  status text NOT NULL CHECK (status IN ('sent', 'dropped', 'final')),
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (chain_id, transaction)
);
CREATE INDEX chain_transaction_open ON dbgov.chain_transaction (chain_id, sent_at) WHERE status = 'sent';
CREATE INDEX chain_transaction_spent ON dbgov.chain_transaction (anchor, sent_at);

-- RFC 3161 tokens.
CREATE TABLE dbgov.timestamp_token (
  authority text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  token bytea NOT NULL,
  time timestamptz NOT NULL,        -- as the authority attests it
  PRIMARY KEY (authority, size)
);

-- The note as it was published, with the cosignatures of witnesses; null until enough of them have cosigned. What is there was published at once.
ALTER TABLE dbgov.checkpoint ADD COLUMN published_note text, ADD COLUMN published_at timestamptz;
UPDATE dbgov.checkpoint SET published_note = note, published_at = at;
