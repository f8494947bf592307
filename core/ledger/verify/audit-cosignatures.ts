import type { Fail } from "./audit-anchors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Cosignature, cosignaturesOf, namedIn, parseWitnessKey } from "./cosignature.ts";
import type { Trust } from "./trust.ts";

/**
 * The cosignatures of the witnesses that the policy names: enough of them, and each line that claims to be of one of them right. What others
 * have added says nothing, and is passed over, as https://c2sp.org/signed-note wants it.
 */
export const auditCosignatures = ({ note }: Checkpoint, { witnesses }: Trust, fail: Fail): readonly Cosignature[] => {
  if (witnesses === undefined) return [];
  const found: Cosignature[] = [];
  for (const vkey of witnesses.publicKeys) {
    const key = parseWitnessKey(vkey)!;
    const valid = cosignaturesOf(note, [key]);
    if (valid.length < namedIn(note, key))
      fail("checkpoint.cosignatures", `carries a wrong cosignature, or more than one, of the witness ${key.name}`);
    else found.push(...valid);
  }
  if (found.length < witnesses.quorum) {
    fail(
      "checkpoint.cosignatures",
      `is cosigned by ${found.length} of the witnesses that the trust policy names, and ${witnesses.quorum} must`,
    );
  }
  return found;
};
