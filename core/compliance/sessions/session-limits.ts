/** How long a sweep waits for a server to take a connection. */
export const connectTimeoutMs = 5_000;

/** How long the server itself lets a statement run; below the check's own limit, so that no query outlives it there. */
export const statementTimeoutMs = 10_000;
