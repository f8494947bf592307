import { fromBase64 } from "./bytes.ts";
import { type Extension, maySignCertificates, readBasicConstraints, readExtension, readTime, wholeBits } from "./certificate-fields.ts";
import { type Digest, verifyByCertificate } from "./crypto.ts";
import { childrenOf, DerError, expectTag, oidOf, readDer, tags } from "./der.ts";
import { equalBytes } from "./hash.ts";

/** Certificates of time-stamping authorities (RFC 5280, RFC 3161 section 2.3). Revocation is not looked up: that needs a network. */
export interface Certificate {
  readonly raw: Uint8Array;
  /** The names, the public key (SubjectPublicKeyInfo) and the serial number, as they are in the certificate. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly serial: Uint8Array;
  readonly from: Date;
  readonly to: Date;
  readonly extensions: readonly Extension[];
  /** What the issuer signed, and how. */
  readonly signed: { readonly body: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array };
}

const extendedKeyUsage = "2.5.29.37";
const keyUsage = "2.5.29.15";
const basicConstraints = "2.5.29.19";
const timeStamping = "1.3.6.1.5.5.7.3.8";
const longestChain = 8;

/** Critical extensions that are understood here, or that restrict nothing that matters here (policies). */
const understood = new Set([extendedKeyUsage, keyUsage, basicConstraints, "2.5.29.32"]);

/** By the object identifiers of the signatures: what they sign. */
export const signatureDigests: Readonly<Record<string, Digest>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** Throws what is wrong with one that cannot be read. */
export const readCertificate = (raw: Uint8Array): Certificate => {
  const [tbs, outer, signature] = childrenOf(readDer(raw), tags.sequence, "certificate");
  const fields = childrenOf(tbs, tags.sequence, "certificate's body");
  if (fields[0]?.tag === tags.context(0)) fields.shift();
  const [serial, inner, issuer, validity, subject, publicKey] = fields;
  const [from, to] = childrenOf(validity, tags.sequence, "validity");
  const [algorithm] = childrenOf(outer, tags.sequence, "signature algorithm");
  if (!equalBytes(expectTag(inner, tags.sequence, "signature algorithm").bytes, outer!.bytes)) throw new DerError("names two algorithms");
  const wrapped = fields.find(({ tag }) => tag === tags.context(3));
  return {
    raw,
    issuer: expectTag(issuer, tags.sequence, "issuer").bytes,
    subject: expectTag(subject, tags.sequence, "subject").bytes,
    publicKey: expectTag(publicKey, tags.sequence, "public key").bytes,
    serial: expectTag(serial, tags.integer, "serial number").content,
    from: readTime(from),
    to: readTime(to),
    extensions: wrapped === undefined ? [] : childrenOf(readDer(wrapped.content), tags.sequence, "extensions").map(readExtension),
    signed: { body: tbs!.bytes, algorithm: oidOf(algorithm), signature: wholeBits(signature) },
  };
};

/** The certificates of a PEM text. Throws when one of them cannot be read. */
export const readPemCertificates = (pem: string): Certificate[] =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)].map(([, base64 = ""]) =>
    readCertificate(fromBase64(base64.replaceAll(/\s/g, "")) ?? new Uint8Array()),
  );

/** Whether time stamping is what the certificate is for, and all that it is for: RFC 3161 demands that this is said, and critical. */
export const isForTimeStamping = ({ extensions }: Certificate): boolean =>
  extensions.some(({ id, critical, value }) => {
    if (id !== extendedKeyUsage || !critical) return false;
    const purposes = childrenOf(readDer(value), tags.sequence, "key usage");
    return purposes.length === 1 && oidOf(purposes[0]) === timeStamping;
  });

/**
 * The certificates from this one to one of `roots`, by `others`, all of them valid at `time`; undefined when there is no such way. `below`
 * counts those on the way already, `budget` the signatures that may still be checked: certificates that all issue each other must not keep a
 * verifier busy.
 */
export const pathToRoot = (
  certificate: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  time: Date,
  budget = { signatures: 100 },
  below = 0,
): Certificate[] | undefined => {
  if (certificate.from > time || time > certificate.to || below >= longestChain) return undefined;
  if (certificate.extensions.some(({ id, critical }) => critical && !understood.has(id))) return undefined;
  if (roots.some(({ raw }) => equalBytes(raw, certificate.raw))) return [certificate];
  for (const issuer of [...roots, ...others]) {
    if (equalBytes(issuer.raw, certificate.raw) || !isIssuedBy(certificate, issuer, below, budget)) continue;
    const rest = pathToRoot(issuer, others, roots, time, budget, below + 1);
    if (rest !== undefined) return [certificate, ...rest];
  }
  return undefined;
};

const isIssuedBy = ({ issuer, signed }: Certificate, authority: Certificate, below: number, budget: { signatures: number }): boolean => {
  if (!equalBytes(issuer, authority.subject)) return false;
  const extension = (wanted: string) => authority.extensions.find(({ id }) => id === wanted)?.value;
  const [constraints, usage] = [extension(basicConstraints), extension(keyUsage)];
  if (constraints === undefined || (usage !== undefined && !maySignCertificates(usage))) return false;
  const { authority: isAuthority, most } = readBasicConstraints(constraints);
  const algorithm = signatureDigests[signed.algorithm];
  if (!isAuthority || below > most || algorithm === undefined || budget.signatures-- <= 0) return false;
  return verifyByCertificate(algorithm, authority.publicKey, signed.body, signed.signature);
};
