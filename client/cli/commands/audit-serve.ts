import { Failure } from "../../../core/domain/failure.ts";
import { serveAuditApi } from "../../http/serve-audit-api.ts";
import { exitCodes } from "../exit.ts";
import { listenAddress, urlOf } from "../listen-address.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { good, say } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const { options, json, signal } = input;
    const { host, port } = listenAddress(String(options.listen));
    const perMinute = Number(options.rate);
    if (!Number.isSafeInteger(perMinute) || perMinute < 1)
      throw new Failure("UsageInvalid", `--rate must be a number of requests, from 1 (is "${String(options.rate)}")`);
    const onNote = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);
    const serving = await serveAuditApi(site, { host, port, perMinute, onNote });
    const url = urlOf(host, serving.port);
    say(json ? JSON.stringify({ ready: true, url }) : `${good("✓")} auditors may ask at ${url} (${url}/docs for people; Ctrl-C to stop)`);
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await serving.close();
    return exitCodes.done;
  });
