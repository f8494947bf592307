import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "@temporalio/client";
import { chooseFreePorts } from "../stack/ports.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";

/** A Temporal server of its own, in memory, that suggests to continue as new after so few events that a test sees it. */
export const startPrivateTemporal = async (suggestAfterEvents: number): Promise<{ address: string; ui: string; stop(): Promise<void> }> => {
  const program = await findProgram("temporal", progressToStderr);
  const [port, http, metrics] = await chooseFreePorts(3, new Set());
  const args = [
    ...["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port), "--http-port", String(http)],
    ...["--metrics-port", String(metrics), "--log-level", "error"],
    ...["--dynamic-config-value", `limit.historyCount.suggestContinueAsNew=${suggestAfterEvents}`],
  ];
  const child = spawn(program, args, { stdio: "ignore" });
  const address = `127.0.0.1:${port}`;
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      await connection.close();
      break;
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) throw error;
      await delay(100);
    }
  }
  return {
    address,
    ui: `http://${address}`,
    stop: async () => {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
};
