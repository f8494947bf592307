/** Cuts a stream of rows, which comes in blocks that end anywhere, into rows without their line feeds. Rows are copies. */
export async function* rowsIn(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let begun: Buffer[] = [];
  for await (const block of content) {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    let at = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, at)) {
      yield Buffer.concat([...begun, bytes.subarray(at, end)]);
      begun = [];
      at = end + 1;
    }
    if (at < bytes.length) begun.push(Buffer.from(bytes.subarray(at)));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}
