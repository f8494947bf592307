const svg = "http://www.w3.org/2000/svg";

/** An element with attributes and children. Text stays text: nothing of a bundle is ever read as HTML. */
export const element = (name: string, attributes: Readonly<Record<string, string>>, ...children: readonly (Node | string)[]): HTMLElement =>
  fill(document.createElement(name), attributes, children);

export const drawn = (
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Node | string)[]
): SVGElement => fill(document.createElementNS(svg, name) as SVGElement, attributes, children);

const fill = <T extends Element>(
  made: T,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly (Node | string)[],
): T => {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
};
