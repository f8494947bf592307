const credentialOptions = /^(authsource|authmechanism|authmechanismproperties)$/i;
const tlsOptions = /^(tls|ssl|tls.*)$/i;

/** The same hosts and options without user, password and how to authenticate; with `plaintext`, without TLS too. */
export const bareUrl = (url: string, { plaintext }: { plaintext: boolean }): string => {
  const [, scheme = "mongodb://", rest = ""] = /^(mongodb(?:\+srv)?:\/\/)(.*)$/s.exec(url) ?? [];
  const authorityEnd = rest.search(/[/?]/);
  const authority = authorityEnd < 0 ? rest : rest.slice(0, authorityEnd);
  const tail = authorityEnd < 0 ? "" : rest.slice(authorityEnd);
  const hosts = authority.slice(authority.lastIndexOf("@") + 1);
  const query = tail.includes("?") ? tail.slice(tail.indexOf("?") + 1) : "";
  const kept = query.split("&").filter((option) => {
    const key = option.split("=", 1)[0] ?? "";
    return key !== "" && !credentialOptions.test(key) && !(plaintext && tlsOptions.test(key));
  });
  // `mongodb+srv` turns TLS on by itself, and its DNS record may name an authSource; without a user that one is without effect.
  if (plaintext) kept.push("tls=false");
  return `${scheme}${hosts}/${kept.length === 0 ? "" : `?${kept.join("&")}`}`;
};
