/** What of an OpenAPI document the page shows. */
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
  }[];
}
export interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, { readonly get?: Operation } | undefined>>;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** One page for people, made of the OpenAPI document: no script, nothing from another host. */
export const docsPage = ({ info, paths = {} }: OpenApi): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(info.title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h2 { font: 600 1.05rem/1.5 ui-monospace, monospace; margin: 2rem 0 0 } p { margin: .3rem 0 } code { font-family: ui-monospace, monospace }
table { border-collapse: collapse; margin: .5rem 0 } td { padding: .1rem 1rem .1rem 0; vertical-align: top }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } a { color: #8cf } }
</style>
<h1>${escaped(info.title)}</h1>
<p>${escaped(info.description ?? "")}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a></p>
${Object.entries(paths)
  .flatMap(([path, methods]) => (methods?.get === undefined ? [] : [operation(path, methods.get)]))
  .join("\n")}
</html>
`;

const operation = (path: string, { summary = "", parameters = [] }: Operation): string => {
  const rows = parameters.map(
    ({ name, in: place, required, description = "" }) =>
      `<tr><td><code>${escaped(name)}</code><td>${place}${required === true ? ", required" : ""}<td>${escaped(description)}`,
  );
  return `<h2>GET ${escaped(path)}</h2>\n<p>${escaped(summary)}</p>${rows.length === 0 ? "" : `\n<table>${rows.join("\n")}</table>`}`;
};
