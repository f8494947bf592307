/** Takes blocks of `stamped` rows, split anywhere, and gives their bytes without the stamps: what is compared of them. */
export const unstamped = (): ((block: Uint8Array) => Uint8Array) => {
  let inStamp = false;
  return (block) => {
    const kept = new Uint8Array(block.length);
    let length = 0;
    for (let at = 0; at < block.length; ) {
      const end = block.indexOf(inStamp ? lineFeed : tab, at);
      const to = end < 0 ? block.length : end;
      if (!inStamp) {
        kept.set(block.subarray(at, to), length);
        length += to - at;
      }
      if (end < 0) break;
      inStamp = !inStamp;
      // The line feed at a stamp's end is the row's; the tab belongs to the stamp.
      at = inStamp ? end + 1 : end;
      if (!inStamp) {
        kept[length++] = lineFeed;
        at++;
      }
    }
    return kept.subarray(0, length);
  };
};

const tab = 0x09;
const lineFeed = 0x0a;
