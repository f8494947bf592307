/** Told what is going on: which component, and one line about it. */
export type Progress = (component: string, message: string) => void;

/** Progress for people: one line each on standard error, which leaves standard output to results. */
export const progressToStderr: Progress = (component, message) => {
  process.stderr.write(`[${component}] ${message}\n`);
};
