import { setTimeout as delay } from "node:timers/promises";
import { locks } from "node:worker_threads";

/**
 * A budget of request units per second that all threads of this process keep together. A request's cost is known only
 * from its reply, so it is paid afterwards: whoever spent keeps its lane of the budget closed until the lane has earned
 * the cost. Lanes are locks of the process, so that no thread needs to know of another.
 */
export interface Budget {
  /** What the budget is of; budgets of one name are one. */
  readonly name: string;
  /** Request units; above 0. */
  readonly perSecond: number;
}

/** Something that has cost request units, also when it failed. */
interface Spent<T> {
  readonly charge: number;
  readonly outcome: () => T;
}

/** Above this a charge is no charge: no partition can spend it in the time that a request may take. */
const mostPlausible = 100_000;
const perLane = 250;
const mostLanes = 8;

const lanesOf = ({ perSecond }: Budget): number => Math.min(mostLanes, Math.max(1, Math.floor(perSecond / perLane)));

/**
 * A reply's cost. A header that is missing or says nonsense is replaced by what the size would cost: a read about 1 unit
 * for each KB, a write about 10.
 */
export function chargeOf(header: string | null, bytes: number, write: boolean): number {
  const said = header === null || header.trim() === "" ? Number.NaN : Number(header);
  if (said > 0 && said <= mostPlausible) return said;
  return Math.max(1, Math.ceil(bytes / 1_024) * (write ? 10 : 1));
}

/** What one request should cost at most, so that a second never sees much more than the budget. */
export const pageCharge = (budget: Budget): number => Math.max(1, budget.perSecond / 10);

/** Does the work in a free lane of the budget, and keeps the lane closed until it has earned what the work cost. */
export async function spend<T>(budget: Budget, signal: AbortSignal, work: () => Promise<Spent<T>>): Promise<T> {
  const lanes = lanesOf(budget);
  const perMs = budget.perSecond / lanes / 1_000;
  const free = await freeLane(budget, lanes);
  // A lock that is waited for does not keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  return await new Promise<T>((resolve, reject) => {
    const lane = free ?? Math.floor(Math.random() * lanes);
    locks
      .request(nameOf(budget, lane), { signal }, async () => {
        clearInterval(alive);
        const began = performance.now();
        let charge = 0;
        try {
          const spent = await work();
          charge = spent.charge;
          resolve(spent.outcome());
        } catch (error) {
          reject(error);
        }
        const earned = (performance.now() - began) * perMs;
        if (charge > earned) await delay((charge - earned) / perMs);
      })
      .catch(reject)
      .finally(() => clearInterval(alive));
  });
}

const nameOf = ({ name }: Budget, lane: number): string => `dbgov request units ${name} ${lane}`;

/** A lane that nobody holds at the moment; undefined when all are held. */
async function freeLane(budget: Budget, lanes: number): Promise<number | undefined> {
  if (lanes === 1) return 0;
  const { held = [] } = await locks.query();
  const taken = new Set(held.map(({ name }) => name));
  for (let lane = 0; lane < lanes; lane++) if (!taken.has(nameOf(budget, lane))) return lane;
  return undefined;
}
