import { concat, equalBytes } from "./verify/bytes.ts";
import { type Certificate, readCertificate } from "./verify/certificates.ts";
import { childrenOf, type Der, readDer, readElements, tags } from "./verify/der.ts";
import { openTimestamp } from "./verify/timestamp.ts";

/**
 * The token with those certificates only that lead from its signer to one of `roots`: nothing signs the list of them, so a verifier of
 * bundles refuses what is not needed, and some authorities add more. A token that is not right stays as it is.
 */
export const trimToken = (token: Uint8Array, hash: Uint8Array, roots: readonly Certificate[]): Uint8Array => {
  const stamp = openTimestamp(token, hash, roots);
  if ("reason" in stamp || stamp.surplus === 0) return token;
  const [type, wrapped] = childrenOf(readDer(token), tags.sequence, "content") as [Der, Der];
  const [data] = childrenOf(wrapped, tags.context(0), "signed data");
  const parts = childrenOf(data, tags.sequence, "signed data").map((part) => {
    if (part.tag !== tags.context(0)) return part.bytes;
    const needed = readElements(part.content).filter(
      ({ tag, bytes }) => tag === tags.sequence && stamp.path.some(({ raw }) => equalBytes(raw, readCertificate(bytes).raw)),
    );
    return der(tags.context(0), ...needed.map(({ bytes }) => bytes));
  });
  return der(tags.sequence, type.bytes, der(tags.context(0), der(tags.sequence, ...parts)));
};

const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = concat(...parts);
  if (content.length < 0x80) return concat(Uint8Array.of(tag, content.length), content);
  const digits: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return concat(Uint8Array.of(tag, 0x80 + digits.length, ...digits), content);
};
