import type { AuditReport, ProofBundle } from "../../../core/ledger/verify/audit.ts";
import { inclusionPath } from "../inclusion-path.ts";
import { drawn } from "./element.ts";

const rowHeight = 46;
const boxWidth = 250;
const middle = 400;
const width = 800;

const short = (hex: string): string => `${hex.slice(0, 12)}…${hex.slice(-6)}`;

const box = (x: number, y: number, kind: string, title: string, text: string): SVGElement =>
  drawn(
    "g",
    { class: `box ${kind}` },
    drawn("rect", { x: x - boxWidth / 2, y: y - 17, width: boxWidth, height: 34, rx: 5 }),
    drawn("text", { x, y: y - 3, class: "title" }, title),
    drawn("text", { x, y: y + 11 }, text),
  );

const line = (x1: number, y1: number, x2: number, y2: number): SVGElement => drawn("line", { x1, y1, x2, y2 });

/** The way from the entry, by the log's root, to the blocks and time stamps that attest it; what does not hold is red. */
export const pictureOf = (bundle: ProofBundle, report: AuditReport): SVGElement => {
  const { size, root } = report.checkpoint!;
  const { leaf, steps } = inclusionPath(bundle, size);
  const included = report.entry !== null;
  const attested = [
    ...report.anchors.map(({ verified, chainId, block, time }) => ({ verified, title: `block ${block} of chain ${chainId}`, text: time })),
    ...report.timestamps.map(({ verified, authority, time }) => ({
      verified,
      title: authority ?? "time stamp",
      text: time ?? "not verified",
    })),
  ];
  const rows = steps.length + 4;
  const height = rows * rowHeight;
  const at = (row: number): number => height - rowHeight / 2 - row * rowHeight;
  const state = (right: boolean): string => (right ? "right" : "wrong");
  const parts: SVGElement[] = [];
  const boxes: SVGElement[] = [box(middle, at(0), state(included), `entry ${bundle.index}: ${bundle.entry.kind}`, `leaf ${short(leaf)}`)];
  for (const [index, { side, beside, hash }] of steps.entries()) {
    const x = side === "left" ? boxWidth / 2 + 4 : width - boxWidth / 2 - 4;
    parts.push(line(middle, at(index), middle, at(index + 1)), line(x, at(index), middle, at(index + 1)));
    boxes.push(box(x, at(index), "beside", "given by the proof", short(beside)));
    boxes.push(box(middle, at(index + 1), state(included), index + 1 === steps.length ? "computed root" : "computed", short(hash)));
  }
  const top = steps.length + 1;
  parts.push(line(middle, at(top - 1), middle, at(top)));
  boxes.push(box(middle, at(top), state(included), `signed checkpoint of ${size} entries`, short(root)));
  for (const [index, { verified, title, text }] of attested.entries()) {
    const x = (width / (attested.length + 1)) * (index + 1);
    parts.push(line(middle, at(top), x, at(top + 1.4)));
    boxes.push(box(x, at(top + 1.4), state(verified), title, text));
  }
  const label = `The way from entry ${bundle.index} over ${steps.length} hashes to the root of the log, and to what attests it`;
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...parts, ...boxes);
};
