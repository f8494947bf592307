/**
 * Every secret that is read is registered here once, and whatever is printed, logged or sent passes through `redact`.
 * The register belongs to the process: a secret cannot be forgotten again.
 */

const replacement = "[redacted]";
const secrets = new Set<string>();
/** Only redacted where they stand as a password: plain words such as `postgres`, which are everywhere. */
const words = new Set<string>();
let pattern: RegExp | undefined;

/** From here on `text`, and the secrets inside it, are redacted: a URL's password and tokens, an account key, a wallet's private numbers. */
export const registerSecret = (text: string): void => {
  for (const part of [text, ...secretParts(text)]) {
    if (part.length === 0) continue;
    if (/^[a-z]{1,11}$/.test(part) || part.length < 4) words.add(part);
    else for (const form of [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)]) secrets.add(form);
  }
  pattern = undefined;
};

/** `text` with every registered secret replaced, the longest first. */
export const redact = (text: string): string => {
  if (secrets.size === 0 && words.size === 0) return text;
  pattern ??= buildPattern();
  // Only the alternative for words has groups: what stands before the password, and the @ after it.
  return text.replace(pattern, (_match, before: unknown, after: unknown) =>
    typeof before === "string" ? `${before}${replacement}${after}` : replacement,
  );
};

const buildPattern = (): RegExp => {
  const longestFirst = (set: Set<string>) => [...set].sort((a, b) => b.length - a.length).map((secret) => RegExp.escape(secret));
  const alternatives = longestFirst(secrets);
  if (words.size > 0)
    alternatives.push(`(://[^\\s/:@]*:|[Pp]assword["']?\\s*[:=]\\s*["']?)(?:${longestFirst(words).join("|")})(?![a-z])(@?)`);
  return new RegExp(alternatives.join("|"), "g");
};

/** What inside a secret is secret on its own. */
const secretParts = (text: string): string[] => {
  const parts: string[] = [];
  const trimmed = text.trim();
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) parts.push(...urlParts(trimmed));
  else if (trimmed.startsWith("{")) parts.push(...jwkParts(trimmed));
  else for (const match of trimmed.matchAll(/(?:^|;)\s*(?:AccountKey|SharedAccessSignature)=([^;]+)/gi)) parts.push(match[1]!);
  return parts;
};

const urlParts = (text: string): string[] => {
  const parts: string[] = [];
  // By hand, since a URL of several hosts (MongoDB) is none to `URL`.
  const password = /^[^:]+:\/\/[^/?#]*?:([^/?#]*)@/.exec(text)?.[1];
  if (password !== undefined) parts.push(password, decoded(password));
  const query = /\?([^#]*)/.exec(text)?.[1] ?? "";
  for (const pair of query.split("&")) {
    const [key, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (/^(sig|key|token|password|sslpassword|secret|apikey|api_key|access_token)$/i.test(key)) parts.push(value, decoded(value));
  }
  // Providers of JSON-RPC put the key into the path; in other URLs it names a database.
  const path = /^(?:https?|wss?):\/\/[^/?#]*(\/[^?#]*)/i.exec(text)?.[1] ?? "";
  parts.push(...path.split("/").filter((segment) => /^(?=.*\d)[\w-]{20,}$/.test(segment)));
  return parts;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const jwkParts = (text: string): string[] => {
  try {
    const key = JSON.parse(text) as Record<string, unknown>;
    return ["d", "p", "q", "dp", "dq", "qi", "k"].map((field) => key[field]).filter((value) => typeof value === "string");
  } catch {
    return [];
  }
};
