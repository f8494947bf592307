import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** The fields of each line but the first of a CSV file whose fields hold no line breaks, as TPC-H's do. */
export async function* csvRows(file: string): AsyncGenerator<string[], void, undefined> {
  let header = true;
  for await (const line of createInterface({ input: createReadStream(file, { highWaterMark: 256 << 10 }) })) {
    if (!header) yield fieldsOf(line);
    header = false;
  }
}

const fieldsOf = (line: string): string[] => {
  if (!line.includes('"')) return line.split(",");
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    let end: number;
    if (line[at] === '"') {
      for (end = line.indexOf('"', at + 1); line[end + 1] === '"'; end = line.indexOf('"', end + 2));
      fields.push(line.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 2;
    } else {
      end = line.indexOf(",", at);
      if (end < 0) end = line.length;
      fields.push(line.slice(at, end));
      at = end + 1;
    }
  }
  return fields;
};
