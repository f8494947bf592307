import { type AuditReport, auditBundle, parseBundle, parseTrust, type Trust } from "../../../core/ledger/verify/audit.ts";
import { stepsOf } from "../steps.ts";
import { element } from "./element.ts";
import { pictureOf } from "./picture.ts";

/** What the page has been given so far. */
const given: { bundle?: unknown; bundleName?: string; trust?: Trust; trustName?: string } = {};

const byId = (id: string): HTMLElement => document.getElementById(id)!;

/** A dropped file is told by its content; one that was chosen must be what was asked for. */
const take = async (file: File, asked?: "bundle" | "trust"): Promise<void> => {
  const text = await file.text();
  const is = asked ?? (/"format"\s*:\s*"dbgov-proof"/.test(text) ? "bundle" : "trust");
  byId(`${is}-problem`).textContent = "";
  try {
    if (is === "bundle") Object.assign(given, { bundle: parseBundle(text), bundleName: file.name });
    else Object.assign(given, { trust: parseTrust(text), trustName: file.name });
    byId(`${is}-name`).textContent = file.name;
  } catch (error) {
    delete given[is];
    byId(`${is}-name`).textContent = "none yet";
    byId(`${is}-problem`).textContent = `${file.name}: ${(error as Error).message}`;
  }
  show();
};

const show = (): void => {
  const { bundle, trust } = given;
  byId("result").hidden = bundle === undefined || trust === undefined;
  if (bundle === undefined || trust === undefined) return;
  const report = auditBundle(bundle, trust);
  showVerdict(report);
  byId("steps").replaceChildren(
    ...stepsOf(bundle, trust, report).map(({ name, state, detail }) =>
      element("li", { class: state.replaceAll(" ", "-") }, element("b", {}, name), element("span", {}, detail)),
    ),
  );
  byId("picture").replaceChildren(...(report.checkpoint === null ? [] : [pictureOf(bundle as Parameters<typeof pictureOf>[0], report)]));
  byId("report").textContent = JSON.stringify(report, undefined, 2);
};

const showVerdict = ({ verified, failures }: AuditReport): void => {
  const verdict = byId("verdict");
  verdict.className = verified ? "right" : "wrong";
  verdict.textContent = verified
    ? "Verified: everything that your policy asks for holds."
    : `Not verified: ${failures.length} ${failures.length === 1 ? "thing does" : "things do"} not hold.`;
};

for (const kind of ["bundle", "trust"] as const) {
  byId(`${kind}-file`).addEventListener("change", (event) => {
    const [file] = (event.target as HTMLInputElement).files ?? [];
    if (file !== undefined) void take(file, kind);
  });
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  for (const file of event.dataTransfer?.files ?? []) void take(file);
});
