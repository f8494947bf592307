/** JSON schemas of what the audit API takes and gives. The OpenAPI document is made of them, and requests are checked against them. */

const text = { type: "string" } as const;
const hash = { type: "string", pattern: "^[0-9a-f]{64}$" } as const;
const whole = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const instant = { type: "string", format: "date-time" } as const;
const hashes = { type: "array", items: hash } as const;
const nullable = (schema: object) => ({ anyOf: [schema, { type: "null" }] });

const object = (properties: Record<string, object>, optional: readonly string[] = []) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const described = (schema: object, description: string) => ({ ...schema, description });

const note = described(text, "a signed note: C2SP tlog-checkpoint, with cosignatures if the log has witnesses");
/** Passed on as it is: its canonical JSON is what the log holds. */
const entry = described({ type: "object", additionalProperties: true }, "the entry, whose canonical JSON (RFC 8785) the log holds");
const disclosed = described(
  object({ name: text, salt: hash }),
  "opens the entry's commitment to a database: HMAC-SHA-256 of the name with the salt",
);
const provenEntry = {
  index: whole,
  entry,
  inclusion: described(hashes, "RFC 6962 proof, from the leaf up to the checkpoint's root"),
  database: disclosed,
};
const limit = described({ type: "integer", minimum: 1, maximum: 100, default: 50 }, "how many at most");
const after = described({ ...whole, default: 0 }, "only of checkpoints larger than this");
const next = described(nullable(whole), "to ask for what follows; null at the end");

export const failed = object({ error: object({ type: text, message: text, remedy: text }) });

export const schemas = {
  scope: {
    response: object({
      origin: text,
      auditor: text,
      databases: nullable({ type: "array", items: text }),
      kinds: nullable({ type: "array", items: text }),
      expiresAt: instant,
    }),
  },
  entries: {
    querystring: object(
      {
        database: described(text, "a database's name"),
        kind: described(text, "a kind of entry, as `drilled`"),
        since: described(instant, "entries of this time and later"),
        until: described(instant, "entries before this time"),
        from: described({ ...whole, default: 0 }, "the first index"),
        limit,
      },
      ["database", "kind", "since", "until", "from", "limit"],
    ),
    response: object({ checkpoint: note, entries: { type: "array", items: object(provenEntry, ["database"]) }, next }),
  },
  entry: {
    params: object({ index: whole }),
    response: object({ checkpoint: note, ...provenEntry }, ["database"]),
  },
  bundleOfEntry: { params: object({ index: whole }) },
  bundleOfSnapshot: { params: object({ snapshot: { type: "string", pattern: "^\\d{8}T\\d{6}Z-[0-9a-f]{12}$" } }) },
  bundle: {
    querystring: object({ since: described({ ...whole, minimum: 1 }, "size of a checkpoint that the bundle is to lead from") }, ["since"]),
    response: described({ type: "object", additionalProperties: true }, "a proof bundle, as docs/proof.md describes it"),
  },
  statement: {
    params: object({ database: text }),
    querystring: object(
      {
        from: { type: "string", format: "date" },
        to: { type: "string", format: "date" },
        page: described({ ...whole, minimum: 1, default: 1 }, "of a statement of more than 2,000 entries: which page"),
      },
      ["page"],
    ),
    response: described({ type: "object", additionalProperties: true }, "a period statement, as docs/proof.md describes it"),
  },
  checkpoints: {
    querystring: object({ after, limit }, ["after", "limit"]),
    response: object({ checkpoints: { type: "array", items: object({ size: whole, root: hash, note, at: instant }) }, next }),
  },
  consistency: {
    querystring: object({ from: whole, to: whole }),
    response: object({ from: whole, to: whole, proof: described(hashes, "RFC 6962 proof that the larger log begins with the smaller") }),
  },
  anchors: {
    querystring: object({ after, limit }, ["after", "limit"]),
    response: object({
      anchors: {
        type: "array",
        items: object({
          ...{ anchor: text, size: whole, root: hash, chainId: whole, contract: text, transaction: text },
          ...{ block: nullable(whole), blockHash: nullable(text) },
          explorer: described(
            nullable(object({ transaction: text, block: text, contract: text })),
            "pages of a public explorer; null for a chain that none is known of",
          ),
        }),
      },
      next,
    }),
  },
  timestamps: {
    querystring: object({ after, limit }, ["after", "limit"]),
    response: object({
      timestamps: {
        type: "array",
        items: object({ authority: text, size: whole, root: hash, time: instant, token: described(text, "RFC 3161, DER in base64") }),
      },
      next,
    }),
  },
} as const;
