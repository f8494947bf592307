import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import webpack from "webpack";

// Writes docs/audit.html: the verifier and a page around it in one file, which needs no network and may use none. By hand: `npm run docs`.

const here = import.meta.dirname;
const root = join(here, "../..");
export const pagePath = join(root, "docs/audit.html");

/** Not minified: who must trust the page may want to read it. */
const bundleScript = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-page-"));
  try {
    const compiler = webpack({
      mode: "production",
      target: ["web", "es2022"],
      entry: join(here, "browser/main.ts"),
      output: { path: folder, filename: "page.js" },
      optimization: { minimize: false },
      performance: { hints: false },
      resolve: { alias: { [join(root, "core/ledger/verify/crypto.ts")]: join(here, "crypto.ts") } },
      module: {
        rules: [
          {
            test: /\.[jt]s$/,
            loader: "swc-loader",
            options: {
              minify: true,
              jsc: {
                parser: { syntax: "typescript" },
                target: "es2022",
                minify: { compress: false, mangle: false, format: { comments: false, beautify: true } },
              },
            },
          },
        ],
      },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    if (stats === undefined || stats.hasErrors()) throw new Error(stats?.toString("errors-only"));
    await promisify(compiler.close.bind(compiler))();
    return await readFile(join(folder, "page.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64");

export const buildPage = async (): Promise<string> => {
  const [template, style, script] = await Promise.all([
    readFile(join(here, "page.html"), "utf8"),
    readFile(join(here, "page.css"), "utf8"),
    bundleScript(),
  ]);
  if (/<\/script|<!--/i.test(script)) throw new Error("the script has words that would end it in a page");
  const parts: Readonly<Record<string, string>> = {
    "SCRIPT-HASH": hashOf(script),
    "STYLE-HASH": hashOf(style),
    ">STYLE<": `>${style}<`,
    ">SCRIPT<": `>${script}<`,
  };
  return Object.entries(parts).reduce((page, [mark, text]) => page.replace(mark, () => text), template);
};

if (import.meta.main) await writeFile(pagePath, await buildPage());
