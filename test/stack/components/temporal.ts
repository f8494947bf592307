import { join } from "node:path";
import type { Component } from "../component.ts";
import { findProgram } from "../programs.ts";
import { ask } from "./http.ts";

const searchAttributes = ["DbgovDatabase", "DbgovEngine", "DbgovPolicy", "DbgovOutcome"];
const uiOf = (port: number | undefined) => `http://127.0.0.1:${port}`;

/** Temporal's own server in its development form, with the UI, persistent in one SQLite file, namespace `default`. */
export const temporal: Component<{ address: string; ui: string }> = {
  title: "Temporal with UI",
  ports: ["frontend", "ui", "http", "metrics"],
  setUp: async (progress) => {
    await findProgram("temporal", progress);
  },
  prepare: async (place, progress) => {
    const { frontend, ui, http, metrics } = place.ports;
    return {
      temporal: {
        command: await findProgram("temporal", progress),
        args: [
          ...["server", "start-dev", "--headless=false", "--ip", "127.0.0.1", "--port", String(frontend), "--ui-port", String(ui)],
          ...["--http-port", String(http), "--metrics-port", String(metrics), "--ui-disable-news-fetch"],
          ...["--db-filename", join(place.folder, "temporal.sqlite"), "--log-level", "warn"],
          ...searchAttributes.flatMap((name) => ["--search-attribute", `${name}=Keyword`]),
        ],
        cwd: place.folder,
      },
    };
  },
  check: async (place) => {
    const { Connection } = await import("@temporalio/client");
    const connection = await Connection.connect({ address: `127.0.0.1:${place.ports.frontend}`, connectTimeout: 2_000 });
    try {
      const found = await connection.withDeadline(Date.now() + 2_000, () =>
        connection.operatorService.listSearchAttributes({ namespace: "default" }),
      );
      const missing = searchAttributes.find((name) => !(name in found.customAttributes));
      if (missing !== undefined) throw new Error(`search attribute ${missing} is not registered`);
    } finally {
      await connection.close();
    }
    const page = await ask(uiOf(place.ports.ui));
    if (!page.ok) throw new Error(`the UI answers ${page.status}`);
  },
  address: async (place) => ({ address: `127.0.0.1:${place.ports.frontend}`, ui: uiOf(place.ports.ui) }),
  shown: (place) => `127.0.0.1:${place.ports.frontend}, UI ${uiOf(place.ports.ui)}`,
};
