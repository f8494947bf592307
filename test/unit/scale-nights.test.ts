import assert from "node:assert/strict";
import { test } from "node:test";
import { cronFrom, missedNights } from "../scale/nights.ts";

test("a night is missed when its snapshot is not logged, whether its run was started or not", () => {
  assert.equal(missedNights(2, [{ started: 2, logged: 2 }]), 0);
  assert.equal(missedNights(2, [{ started: 2, logged: 1 }]), 1, "its run came to nothing");
  assert.equal(missedNights(2, [{ started: 0, logged: 0 }]), 2, "its schedule started nothing");
  assert.equal(missedNights(2, [{ started: 3, logged: 2 }]), 1, "the night that began while others ended counts, too");
  assert.equal(missedNights(2, [{ started: 3, logged: 3 }]), 0);
});

test("what one database has too many of makes up for no other one's missed night", () => {
  const both = [
    { started: 1, logged: 2 },
    { started: 1, logged: 0 },
  ];
  assert.equal(missedNights(1, both), 1);
  assert.equal(missedNights(1, []), 0);
});

test("nights come at whole minutes, from the first one on", () => {
  assert.equal(cronFrom(new Date("2026-11-24T18:37:00Z"), 900), "7,22,37,52 * * * *");
  assert.equal(cronFrom(new Date("2026-11-24T18:00:00Z"), 3_600), "0 * * * *");
});
