/** When the newest snapshots look like an attack, or like a loss, nothing older may go: it may be what is needed. */

export interface JudgedSnapshot {
  readonly snapshot: string;
  readonly at: Date;
  /** It counts; see `snapshot-spacing.ts`. */
  readonly regular: boolean;
  readonly rows: number;
}

/** So many extra ones within a day are more than people make. */
export const mostExtraADay = 10;
/** The newest is compared with the median of so many that count, and with none while there are fewer than three. */
const compared = 7;
/** What has fewer rows changes by half every day. */
const leastRows = 100;

export interface RetentionAlarm {
  readonly kind: "flood" | "shrunk";
  /** One sentence. */
  readonly message: string;
}

/** What is wrong with the newest of a database's live snapshots; undefined when nothing is. */
export const retentionAlarm = (snapshots: readonly JudgedSnapshot[], now: Date): RetentionAlarm | undefined => {
  const newestFirst = snapshots.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const extra = newestFirst.filter(({ at, regular }) => !regular && now.getTime() - at.getTime() < 86_400_000);
  if (extra.length > mostExtraADay) {
    return { kind: "flood", message: `${extra.length} extra snapshots came within a day; more than ${mostExtraADay} look like a flood` };
  }
  const [newest] = newestFirst;
  const before = newestFirst.filter(({ regular, snapshot }) => regular && snapshot !== newest?.snapshot).slice(0, compared);
  if (newest === undefined || before.length < 3) return undefined;
  const usual = median(before.map(({ rows }) => rows));
  if (usual < leastRows || newest.rows * 2 >= usual) return undefined;
  return { kind: "shrunk", message: `${newest.snapshot}, the newest, has ${newest.rows} rows, less than half of the usual ${usual}` };
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
