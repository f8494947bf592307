import type { RecoveryKitContent } from "./recovery-kit.ts";
import { keyIdOf } from "./signing.ts";

const markup = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** As a word that a shell reads as it is. */
const quote = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const style = `
  body { font: 11pt/1.45 Georgia, serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff }
  h1 { font-size: 1.5em; margin: 0 0 .2em } h2 { font-size: 1.05em; margin: 1.4em 0 .3em }
  code, pre { font: 9.5pt/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
  pre, .key { border: 1px solid #999; padding: .6em .8em; margin: .3em 0 } .key { display: block; font-size: 11.5pt; letter-spacing: .03em }
  table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0; border-bottom: 1px solid #ccc }
  .warn { border-left: 4px solid #a00; padding-left: .8em } ol { padding-left: 1.3em }
  @media print { body { margin: 0; max-width: none } @page { margin: 18mm } }`;

/** One printable page, without any script or outside resource: what is needed to restore when nothing of the engine runs any more. */
export const recoveryPage = (content: RecoveryKitContent, recipientId: string): string => {
  const { organization, generatedAt, secretText, stores, signingKeys, log } = content;
  const command = (address: string) => `bin/dbgov recover --store ${quote(address)} --kit FILE --snapshot latest --database NAME --to URL`;
  const azure = stores.some(({ kind }) => kind === "azure-blob")
    ? "<li>For Azure, put the account's <code>AZURE_STORAGE_CONNECTION_STRING</code>, or <code>AZURE_STORAGE_SAS_TOKEN</code>, into the environment. It is not in this kit.</li>\n"
    : "";
  const s3 = stores.some(({ kind }) => ["s3", "storj", "sia"].includes(kind))
    ? "<li>For S3, put <code>AWS_ACCESS_KEY_ID</code> and <code>AWS_SECRET_ACCESS_KEY</code> of a key that may read the bucket into the environment. They are not in this kit.</li>\n"
    : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recovery kit of ${markup(organization)}</title>
<style>${style}
</style>
</head>
<body>
<h1>Recovery kit of ${markup(organization)}</h1>
<p>Generated <time datetime="${markup(generatedAt)}">${markup(`${generatedAt.slice(0, 16).replace("T", " ")} UTC`)}</time>. Keep this page and its folder where neither the databases nor the stores are.</p>
<p class="warn"><strong>Whoever has this page and a keyring can read every backup.</strong> Lock it away like cash. Without it, nobody can restore.</p>

<h2>Recovery key</h2>
<code class="key">${markup(secretText.trim())}</code>
<p>Recipient <code>${markup(recipientId)}</code>. Spaces and line breaks do not matter.</p>

<h2>Where the backups are</h2>
<table>
<thead><tr><th>Store</th><th>Kind</th><th>Address</th></tr></thead>
<tbody>
${stores.map((store) => `<tr><td>${markup(store.name)}</td><td>${markup(store.kind)}</td><td><code>${markup(store.address)}</code></td></tr>`).join("\n")}
</tbody>
</table>

<h2>How to restore</h2>
<ol>
<li>On a machine with Node 20 or newer and npm, get the source of dbgov and run <code>npm ci</code> in it. For a PostgreSQL database, also install <code>pg_dump</code> and <code>pg_restore</code> of the version of its server or newer (package <code>postgresql-client</code>); <code>DBGOV_PG_BIN</code> names its folder where it is not on the <code>PATH</code>.</li>
<li>Take this folder's <code>kit.json</code> and the newest folder <code>keyring</code> beside it. Files lost? Then write <code>kit.json</code> again from this page; <code>docs/format.md</code> shows its form.</li>
${azure}${s3}<li>Create an empty database, and run one of these; with <code>--list</code> instead of all that follows <code>FILE</code> it shows what there is. Write the path of <code>kit.json</code> for <code>FILE</code>, the database's name for <code>NAME</code>, and the empty database's address for <code>URL</code>:
${stores.map((store) => `<pre>${markup(command(store.address))}</pre>`).join("\n")}</li>
</ol>
<p>Neither Temporal, nor the catalog, nor the configuration is needed. The content is checked before anything is written.</p>

<h2>What to believe</h2>
<table>
<tbody>
${signingKeys
  .map(
    ({ publicKey, until }) =>
      `<tr><th>Manifests are signed by</th><td><code>${keyIdOf(publicKey)} ${Buffer.from(publicKey).toString("base64")}</code>${until === undefined ? "" : ` until ${markup(until)}`}</td></tr>`,
  )
  .join("\n")}
<tr><th>Transparency log</th><td><code>${markup(log.origin)}</code></td></tr>
<tr><th>Log key</th><td><code>${Buffer.from(log.publicKey).toString("base64")}</code></td></tr>
</tbody>
</table>
</body>
</html>
`;
};
