import { Failure } from "../../domain/failure.ts";
import type { Definition } from "../engine.ts";
import { type Container, type ScriptKind, scriptKinds } from "./catalog.ts";
import type { PartitionKey } from "./documents.ts";
import { compact, elementsOf, memberOf, membersOf, objectOf } from "./json-text.ts";
import type { Throughput } from "./throughput.ts";

/** The name of the definitions' stream; no container can have it, since Cosmos DB allows no slash there. */
export const definitionsStream = "/containers";

/** What it takes to create a container again: texts are as the server gave them. */
export interface ContainerDefinition {
  readonly id: string;
  readonly text: Buffer;
  /** null: none of its own, or not known. */
  readonly throughput: Throughput | null;
  readonly scripts: Readonly<Record<ScriptKind, readonly Buffer[]>>;
}

export interface DatabaseDefinition {
  /** What its containers share; null: none, or not known. */
  readonly throughput: Throughput | null;
  readonly containers: readonly ContainerDefinition[];
}

const kinds = Object.keys(scriptKinds) as ScriptKind[];

/** The content of the definitions stream: JSON, one line for the database and one for each container. */
export function writeDefinitions({ throughput, containers }: DatabaseDefinition): Uint8Array {
  const lines = containers.map((container) =>
    objectOf([
      member("container", container.text),
      member("throughput", jsonOf(container.throughput)),
      ...kinds.map((kind) => member(kind, arrayOf(container.scripts[kind]))),
    ]),
  );
  const database = objectOf([member("database", jsonOf({ throughput }))]);
  return Buffer.concat([database, ...lines].flatMap((line) => [line, Buffer.from("\n")]));
}

const member = (name: string, value: Buffer) => ({ key: jsonOf(name), value });
const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const arrayOf = (items: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("["), ...items.flatMap((item, index) => (index === 0 ? [item] : [Buffer.from(","), item])), Buffer.from("]")]);

/** Reads what `writeDefinitions` wrote. */
export function readDefinitions(definitions: readonly Definition[]): DatabaseDefinition {
  const content = Buffer.concat(definitions.filter(({ name }) => name === definitionsStream).map((each) => each.content));
  try {
    let throughput: Throughput | null = null;
    const containers: ContainerDefinition[] = [];
    for (const line of linesOf(content)) {
      const text = compact(line);
      const database = memberOf(text, "database");
      if (database !== undefined) ({ throughput } = parsed(database) as { throughput: Throughput | null });
      else containers.push(containerOf(text));
    }
    return { throughput, containers };
  } catch (cause) {
    throw new Failure("RestoreFailed", "The snapshot's Cosmos DB definitions cannot be read.", { cause });
  }
}

const parsed = (text: Buffer): unknown => JSON.parse(text.toString("utf8"));

function containerOf(line: Buffer): ContainerDefinition {
  const values = new Map(membersOf(line).map(({ name, value }) => [name, value]));
  const textOf = (name: string): Buffer => {
    const value = values.get(name);
    if (value === undefined) throw new SyntaxError(`a definition has no ${name}`);
    return value;
  };
  const text = textOf("container");
  return {
    id: idOfContainer(text),
    text,
    throughput: parsed(textOf("throughput")) as Throughput | null,
    scripts: Object.fromEntries(kinds.map((kind) => [kind, elementsOf(textOf(kind))])) as Record<ScriptKind, Buffer[]>,
  };
}

export const idOfContainer = (text: Buffer): string => String(parsed(memberOf(text, "id") ?? Buffer.from('""')));

/** How a container tells its partitions; the id, where it does not say. */
export function partitionKeyOfContainer({ text }: Pick<Container, "text">): PartitionKey {
  const definition = memberOf(text, "partitionKey");
  return definition === undefined ? { paths: ["/id"] } : (parsed(definition) as PartitionKey);
}

function* linesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0x0a, at);
    yield content.subarray(at, end < 0 ? content.length : end);
    if (end < 0) return;
    at = end + 1;
  }
}
