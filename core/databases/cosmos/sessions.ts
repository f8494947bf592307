/**
 * Under session consistency a read sees the session's own writes only if it tells how far they went. Tokens are by
 * container and partition, as `0:-1#42`; the number behind the first `#` grows with each write.
 */
export interface Sessions {
  remember(container: string, header: string | null): void;
  tokenOf(container: string, range: string): string | undefined;
}

export function openSessions(): Sessions {
  const tokens = new Map<string, string>();
  const keyOf = (container: string, range: string): string => `${container}/${range}`;
  return {
    remember: (container, header) => {
      for (const token of (header ?? "").split(",")) {
        const range = token.slice(0, token.indexOf(":"));
        if (range === "") continue;
        const known = tokens.get(keyOf(container, range));
        if (known === undefined || progressOf(token) >= progressOf(known)) tokens.set(keyOf(container, range), token.trim());
      }
    },
    tokenOf: (container, range) => tokens.get(keyOf(container, range)),
  };
}

const progressOf = (token: string): number => Number(token.split("#")[1] ?? 0) || 0;
