import { concat } from "./bytes.ts";
import { nameText } from "./certificate-fields.ts";
import { type Certificate, isForTimeStamping, pathToRoot, readCertificate, signatureDigests } from "./certificates.ts";
import { type Digest, digest as digestOf, verifyByCertificate } from "./crypto.ts";
import { childrenOf, type Der, expectTag, oidOf, readDer, readElements, tags } from "./der.ts";
import { equalBytes, sha256, toHex, utf8 } from "./hash.ts";

/** What a time-stamping authority says by a token. */
export interface Timestamp {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Hex. */
  readonly serial: string;
  /** The authority's policy, an object identifier. */
  readonly policy: string;
  /** Hex; what the request had, so that the answer belongs to it. */
  readonly nonce?: string;
  /** The subject of the certificate that signed. */
  readonly authority: string;
  /** From the certificate that signed to a trusted root. */
  readonly path: readonly Certificate[];
  /** How many certificates come with the token beside those. Nothing signs the list of them. */
  readonly surplus: number;
}

const oids = {
  signedData: "1.2.840.113549.1.7.2",
  tstInfo: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
} as const;

const digests: Readonly<Record<string, Digest>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** The digest that a signature algorithm signs; for plain RSA it is the signer's digest algorithm. */
const signatures: Readonly<Record<string, Digest | "of the signer">> = {
  "1.2.840.113549.1.1.1": "of the signer",
  ...signatureDigests,
};

/** Tokens with all certificates of their chain have a few KB. */
const largestToken = 65_536;
const mostCertificates = 16;

/** The one reason for which a token that is sound in itself is refused. */
export const untrustedSigner = "is signed by a certificate that does not lead to a trusted root, with all of them valid at the time";

class Refuted extends Error {}
const refute = (reason: string): never => {
  throw new Refuted(reason);
};

/**
 * What the RFC 3161 token (DER) says, once it is shown that it is of `hash` (SHA-256, 32 bytes), signed by a certificate that is for time
 * stamping, and that leads to one of `roots`, each valid at the token's time. Otherwise the reason why not. Never throws.
 */
export const openTimestamp = (
  token: Uint8Array,
  hash: Uint8Array,
  roots: readonly Certificate[],
): Timestamp | { readonly reason: string } => {
  try {
    if (token.length > largestToken) return { reason: `is larger than ${largestToken} bytes` };
    return open(token, hash, roots);
  } catch (error) {
    if (error instanceof Refuted) return { reason: error.message };
    return { reason: `is no time-stamp token that can be read (${error instanceof Error ? error.message : typeof error})` };
  }
};

const open = (token: Uint8Array, hash: Uint8Array, roots: readonly Certificate[]): Timestamp => {
  const [type, wrapped] = childrenOf(readDer(token), tags.sequence, "content");
  if (oidOf(type) !== oids.signedData) refute("is not signed data");
  const [data] = childrenOf(wrapped, tags.context(0), "signed data");
  const [version, digestSet, encapsulated, ...parts] = childrenOf(data, tags.sequence, "signed data");
  if (integerOf(version) !== "03") refute("is of a version that is not known");
  const [contentType, content] = childrenOf(encapsulated, tags.sequence, "content");
  if (oidOf(contentType) !== oids.tstInfo) refute("signs something else than a time");
  const [octets] = childrenOf(content, tags.context(0), "time");
  const info = expectTag(octets, tags.octets, "time").content;
  const certificates = parts.filter(({ tag }) => tag === tags.context(0)).flatMap(({ content: set }) => readElements(set));
  if (certificates.length > mostCertificates) refute(`comes with more than ${mostCertificates} certificates`);
  const [signer, ...others] = childrenOf(parts.at(-1), tags.set, "signer");
  if (others.length > 0) refute("has more than one signer");
  const used = childrenOf(expectTag(signer, tags.sequence, "signer"), tags.sequence, "signer")[2];
  const listed = childrenOf(digestSet, tags.set, "digest algorithms");
  if (listed.length !== 1 || used === undefined || !equalBytes(listed[0]!.bytes, used.bytes))
    refute("lists other digests than its signer uses");
  const stamp = readInfo(info, hash);
  const known = certificates.filter(({ tag }) => tag === tags.sequence).map(({ bytes }) => readCertificate(bytes));
  const certificate = checkSigner(expectTag(signer, tags.sequence, "signer"), info, [...known, ...roots]);
  if (!isForTimeStamping(certificate)) refute("is signed by a certificate that is not for time stamping alone");
  const path = pathToRoot(certificate, known, roots, new Date(stamp.time)) ?? refute(untrustedSigner);
  const surplus = certificates.filter(({ bytes }) => !path.some(({ raw }) => equalBytes(raw, bytes))).length;
  return { ...stamp, authority: nameText(certificate.subject), path, surplus };
};

/** TSTInfo, RFC 3161 section 2.4.2. */
const readInfo = (info: Uint8Array, hash: Uint8Array): Omit<Timestamp, "authority" | "path" | "surplus"> => {
  const [version, policy, imprint, serial, time, ...optional] = childrenOf(readDer(info), tags.sequence, "time");
  if (integerOf(version) !== "01") refute("is of a version that is not known");
  const [algorithm, imprinted] = childrenOf(imprint, tags.sequence, "imprint");
  const [digest] = childrenOf(algorithm, tags.sequence, "digest algorithm");
  if (digests[oidOf(digest)] !== "sha256" || !equalBytes(expectTag(imprinted, tags.octets, "imprint").content, hash)) {
    refute("is of another hash");
  }
  const nonce = optional.find(({ tag }) => tag === tags.integer);
  return {
    time: timeOf(expectTag(time, tags.time, "time")),
    serial: toHex(expectTag(serial, tags.integer, "serial number").content),
    policy: oidOf(policy),
    ...(nonce === undefined ? {} : { nonce: toHex(nonce.content) }),
  };
};

const integerOf = (element: Der | undefined): string => toHex(expectTag(element, tags.integer, "number").content);

const timeOf = ({ content }: Der): string => {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/.exec(String.fromCharCode(...content.subarray(0, 32)));
  if (match === null) return refute("has a malformed time");
  const [, year, month, day, hour, minute, second, fraction = ""] = match;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(1, 4).padEnd(3, "0")}Z`;
  return Number.isNaN(Date.parse(text)) || new Date(text).toISOString() !== text ? refute("has a time that does not exist") : text;
};

/** SignerInfo, RFC 5652 section 5.3: the certificate that signed these attributes, which name the content and the certificate itself. */
const checkSigner = (signer: Der, content: Uint8Array, certificates: readonly Certificate[]): Certificate => {
  const [version, identifier, digestAlgorithm, attributes, signatureAlgorithm, signature] = readElements(signer.content);
  if (integerOf(version) !== "01") refute("is of a version that is not known");
  const [issuer, serial] = childrenOf(identifier, tags.sequence, "issuer and serial number");
  const certificate =
    certificates.find((one) => equalBytes(one.issuer, issuer!.bytes) && equalBytes(one.serial, serial!.content)) ??
    refute("does not come with the certificate that signed it");
  const digest =
    digests[oidOf(childrenOf(digestAlgorithm, tags.sequence, "digest algorithm")[0])] ?? refute("uses a digest that does not count");
  const signed = attributesOf(expectTag(attributes, tags.context(0), "signed attributes"));
  const one = (oid: string): Der => {
    const values = signed.filter(({ id }) => id === oid);
    return values.length === 1 && values[0]!.values.length === 1 ? values[0]!.values[0]! : refute(`has no single attribute ${oid}`);
  };
  if (oidOf(one(oids.contentType)) !== oids.tstInfo) refute("is signed as something else than a time");
  const digested = digestOf(digest, content);
  if (!equalBytes(expectTag(one(oids.messageDigest), tags.octets, "digest").content, digested))
    refute("was altered: its digest is not that of its time");
  checkNamedCertificate(signed, certificate);
  const [algorithm] = childrenOf(signatureAlgorithm, tags.sequence, "signature algorithm");
  const known = signatures[oidOf(algorithm)] ?? refute("uses a signature that is not known");
  // What is signed has the tag of a set, where the token has [0] (RFC 5652 section 5.4).
  const message = concat(Uint8Array.of(tags.set), attributes!.bytes.subarray(1));
  const bytes = expectTag(signature, tags.octets, "signature").content;
  if (!verifyByCertificate(known === "of the signer" ? digest : known, certificate.publicKey, message, bytes))
    refute("has a signature that is wrong");
  return certificate;
};

const attributesOf = ({ content }: Der): { id: string; values: Der[] }[] =>
  readElements(content).map((attribute) => {
    const [id, values] = childrenOf(attribute, tags.sequence, "attribute");
    return { id: oidOf(id), values: childrenOf(values, tags.set, "attribute's values") };
  });

/** RFC 5816: without it, a certificate could be exchanged for another of the same key. */
const checkNamedCertificate = (signed: readonly { id: string; values: Der[] }[], { raw }: Certificate): void => {
  const attribute = signed.find(({ id }) => id === oids.signingCertificateV2 || id === oids.signingCertificate);
  const [list] = childrenOf(
    attribute?.values[0] ?? refute("does not name the certificate that signed it"),
    tags.sequence,
    "certificate's name",
  );
  const fields = childrenOf(childrenOf(list, tags.sequence, "certificate's name")[0], tags.sequence, "certificate's name");
  const algorithm = fields[0]?.tag === tags.sequence ? digests[oidOf(readElements(fields.shift()!.content)[0])] : "sha256";
  // The older attribute has SHA-1 and no other; what it binds is bound by the signature's own digest as well.
  const digest =
    attribute?.id === oids.signingCertificate ? "sha1" : (algorithm ?? refute("names its certificate by a digest that does not count"));
  const named = expectTag(fields[0], tags.octets, "certificate's hash").content;
  if (!equalBytes(named, digestOf(digest, raw))) refute("names another certificate than the one that signed it");
};

/** What is time-stamped of a checkpoint: SHA-256 of the text that is signed. */
export const checkpointHash = (text: string): Uint8Array => sha256(utf8(text));
