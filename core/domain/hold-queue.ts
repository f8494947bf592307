/**
 * Where snapshots are held open, by the processes that serve `capture`. Beside it, for a hold lasts as long as the captures under it: on one
 * queue, as many runs at once as it has slots would each hold a slot, and wait for one.
 */
export const holdQueue = "capture-holds";
