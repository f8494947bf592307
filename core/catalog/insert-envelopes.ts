import type { Envelope } from "../repository/envelopes.ts";
import { type Queryable, run } from "./catalog.ts";

/** Adds to the keyring; an envelope that is there stays. */
export const insertEnvelopes = (db: Queryable, envelopes: readonly Envelope[]): Promise<unknown> =>
  run(
    db,
    `INSERT INTO dbgov.envelope (object, recipient, kind, version, kem, wrapped)
     SELECT e.object, e.recipient, e.kind, e.version, decode(e.kem, 'base64'), decode(e.wrapped, 'base64')
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[]) AS e (object, recipient, kind, version, kem, wrapped)
     ON CONFLICT DO NOTHING`,
    [
      envelopes.map((envelope) => envelope.object),
      envelopes.map((envelope) => envelope.recipient),
      envelopes.map((envelope) => envelope.kind),
      envelopes.map((envelope) => envelope.version),
      envelopes.map((envelope) => envelope.kem),
      envelopes.map((envelope) => envelope.wrapped),
    ],
  );
