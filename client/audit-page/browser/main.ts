import { type AuditReport, auditBundle, parseBundle, parseTrust, type Trust } from "../../../core/ledger/verify/audit.ts";
import { auditMisbehavior, type MisbehaviorReport } from "../../../core/ledger/verify/misbehavior.ts";
import { type PeriodReport, startPeriodAudit } from "../../../core/ledger/verify/period.ts";
import { stepsOfMisbehavior, stepsOfPeriod } from "../statement-steps.ts";
import { type Step, stepsOf } from "../steps.ts";
import { element } from "./element.ts";
import { pictureOf } from "./picture.ts";

type Kind = "bundle" | "trust";
type Report = AuditReport | PeriodReport | MisbehaviorReport;

const formats = ["dbgov-proof", "dbgov-period", "dbgov-misbehavior"];

/** What the page has been given so far; of a statement all pages. */
const given: { bundles?: readonly unknown[]; trust?: Trust } = {};

const byId = (id: string): HTMLElement => document.getElementById(id)!;

/** Files that are dropped are told by their content; those that were chosen must be what was asked for. */
const take = async (files: readonly File[], asked?: Kind): Promise<void> => {
  const read = await Promise.all(files.map(async (file) => ({ name: file.name, text: await file.text() })));
  const kindOf = (text: string): Kind => asked ?? (/"format"\s*:\s*"dbgov-/.test(text) ? "bundle" : "trust");
  for (const kind of ["bundle", "trust"] as const) {
    const ofKind = read.filter(({ text }) => kindOf(text) === kind);
    if (ofKind.length > 0) takeAs(kind, ofKind);
  }
  show();
};

const takeAs = (kind: Kind, files: readonly { readonly name: string; readonly text: string }[]): void => {
  byId(`${kind}-problem`).textContent = "";
  let reading = files[0]!;
  try {
    if (kind === "trust") given.trust = parseTrust(reading.text);
    else {
      const bundles: unknown[] = [];
      for (const file of files) {
        reading = file;
        bundles.push(parseBundle(file.text, formats));
      }
      given.bundles = inOrder(bundles);
    }
    byId(`${kind}-name`).textContent = files.map(({ name }) => name).join(", ");
  } catch (error) {
    delete given[kind === "trust" ? "trust" : "bundles"];
    byId(`${kind}-name`).textContent = "none yet";
    byId(`${kind}-problem`).textContent = `${reading.name}: ${(error as Error).message}`;
  }
};

/** Pages as they number themselves; the audit says whether they do so rightly. */
const inOrder = (bundles: readonly unknown[]): unknown[] => {
  const numberOf = (bundle: unknown): number => Number((bundle as { page?: { number?: unknown } | null }).page?.number) || 0;
  return bundles.toSorted((a, b) => numberOf(a) - numberOf(b));
};

const show = (): void => {
  const { bundles, trust } = given;
  byId("result").hidden = bundles === undefined || trust === undefined;
  if (bundles === undefined || trust === undefined) return;
  const [bundle] = bundles;
  const { format } = bundle as { format: string };
  if (format === "dbgov-period") {
    const audit = startPeriodAudit(trust);
    for (const page of bundles) audit.take(page);
    const report = audit.report();
    tell(report, stepsOfPeriod(trust, report, bundles.length), "everything that your policy asks for holds, and no entry is missing.");
  } else if (format === "dbgov-misbehavior") {
    const report = auditMisbehavior(bundle, trust);
    tell(report, stepsOfMisbehavior(report), "the log has contradicted itself. It is not to be trusted.");
  } else {
    const report = auditBundle(bundle, trust);
    tell(report, stepsOf(bundle, trust, report), "everything that your policy asks for holds.");
    if (report.checkpoint !== null) byId("picture").replaceChildren(pictureOf(bundle as Parameters<typeof pictureOf>[0], report));
  }
};

const tell = (report: Report, steps: readonly Step[], right: string): void => {
  const { verified, failures } = report;
  const verdict = byId("verdict");
  verdict.className = verified ? "right" : "wrong";
  verdict.textContent = verified
    ? `Verified: ${right}`
    : `Not verified: ${failures.length} ${failures.length === 1 ? "thing does" : "things do"} not hold.`;
  byId("steps").replaceChildren(
    ...steps.map(({ name, state, detail }) =>
      element("li", { class: state.replaceAll(" ", "-") }, element("b", {}, name), element("span", {}, detail)),
    ),
  );
  byId("picture").replaceChildren();
  byId("report").textContent = JSON.stringify(report, undefined, 2);
};

for (const kind of ["bundle", "trust"] as const) {
  byId(`${kind}-file`).addEventListener("change", (event) => {
    const files = [...((event.target as HTMLInputElement).files ?? [])];
    if (files.length > 0) void take(files, kind);
  });
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  void take([...(event.dataTransfer?.files ?? [])]);
});
