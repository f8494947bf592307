/**
 * The body of an HTTP answer of at most `most` bytes. A peer that sends more is not heard to its end: the connection is given up, and `RangeError` thrown, before
 * more than that is in memory.
 */
export const readAnswer = async (response: Response, most: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > most) throw new RangeError(`the answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
};
