const line = /^dbgov_event_loop_delay_p99_seconds\{(?<labels>[^}]*)\} (?<value>[\d.e+-]+)$/gm;

/**
 * The longest that a capture's event loops, the worker's main one and those of its threads, were kept waiting at the 99th
 * percentile: seconds, as the worker's metrics have it of the latest capture.
 */
export const loopDelayAt = async (metrics: string): Promise<number> => {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const ofCaptures = [...text.matchAll(line)].filter(({ groups }) => groups?.labels?.includes('during="capture"'));
  if (ofCaptures.length === 0) throw new Error(`the worker's metrics at ${metrics} tell no event loop delay of a capture`);
  return Math.max(...ofCaptures.map(({ groups }) => Number(groups?.value)));
};
