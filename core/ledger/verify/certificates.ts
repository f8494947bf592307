import { X509Certificate } from "node:crypto";
import { childrenOf, type Der, oidOf, readDer, tags } from "./der.ts";
import { equalBytes } from "./hash.ts";

/** Certificates of time-stamping authorities (RFC 5280, RFC 3161 section 2.3). Revocation is not looked up: that needs a network. */
export interface Certificate {
  readonly parsed: X509Certificate;
  readonly raw: Uint8Array;
  /** The issuer's name and the serial number, as they are in the certificate. */
  readonly issuer: Uint8Array;
  readonly serial: Uint8Array;
  readonly extensions: readonly Der[];
}

const extendedKeyUsage = "2.5.29.37";
const timeStamping = "1.3.6.1.5.5.7.3.8";
const longestChain = 8;

/** Throws what is wrong with one that cannot be read. */
export const readCertificate = (raw: Uint8Array): Certificate => {
  const [tbs] = childrenOf(readDer(raw), tags.sequence, "certificate");
  const fields = childrenOf(tbs, tags.sequence, "certificate's body");
  if (fields[0]?.tag === tags.context(0)) fields.shift();
  const [serial, , issuer] = fields;
  const wrapped = fields.find(({ tag }) => tag === tags.context(3));
  const extensions = wrapped === undefined ? [] : childrenOf(readDer(wrapped.content), tags.sequence, "extensions");
  return {
    parsed: new X509Certificate(raw),
    raw,
    issuer: issuer?.bytes ?? new Uint8Array(),
    serial: serial?.content ?? new Uint8Array(),
    extensions,
  };
};

/** The certificates of a PEM text. Throws when one of them cannot be read. */
export const readPemCertificates = (pem: string): Certificate[] =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)].map(([, base64 = ""]) =>
    readCertificate(new Uint8Array(Buffer.from(base64, "base64"))),
  );

/** Whether time stamping is what the certificate is for, and all that it is for: RFC 3161 demands that this is said, and critical. */
export const isForTimeStamping = ({ extensions }: Certificate): boolean =>
  extensions.some((extension) => {
    const [id, critical, value] = childrenOf(extension, tags.sequence, "extension");
    if (oidOf(id) !== extendedKeyUsage) return false;
    if (critical?.tag !== tags.boolean || critical.content[0] !== 0xff || value === undefined) return false;
    const purposes = childrenOf(readDer(value.content), tags.sequence, "key usage");
    return purposes.length === 1 && oidOf(purposes[0]) === timeStamping;
  });

/** Whether the certificate leads to one of `roots` by `others`, all of them valid at `time`. */
export const leadsToRoot = (
  certificate: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  time: Date,
  left = longestChain,
): boolean => {
  if (!validAt(certificate, time) || left === 0) return false;
  if (roots.some(({ raw }) => equalBytes(raw, certificate.raw))) return true;
  return [...roots, ...others].some(
    (issuer) =>
      !equalBytes(issuer.raw, certificate.raw) && isIssuedBy(certificate, issuer) && leadsToRoot(issuer, others, roots, time, left - 1),
  );
};

const validAt = ({ parsed }: Certificate, time: Date): boolean => parsed.validFromDate <= time && time <= parsed.validToDate;

const isIssuedBy = ({ parsed }: Certificate, issuer: Certificate): boolean =>
  issuer.parsed.ca && parsed.checkIssued(issuer.parsed) && parsed.verify(issuer.parsed.publicKey);
