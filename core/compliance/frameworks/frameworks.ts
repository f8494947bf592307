import type { Finding, FrameworkId } from "../finding.ts";
import type { Framework } from "./framework.ts";
import { gdpr } from "./gdpr.ts";
import { hipaa } from "./hipaa.ts";
import { iso27001 } from "./iso27001.ts";
import { sox } from "./sox.ts";

export const frameworks: Readonly<Record<FrameworkId, Framework>> = { sox, gdpr, hipaa, iso27001 };

/** The controls of the chosen frameworks for which findings of the check are evidence. */
export const controlsOf = (check: string, chosen: readonly FrameworkId[]): Finding["controls"] =>
  chosen.flatMap((framework) =>
    frameworks[framework].controls.filter(({ checks }) => checks.includes(check)).map(({ id }) => ({ framework, control: id })),
  );
