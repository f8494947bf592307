import { dirname, join } from "node:path";
import type { Component, Place } from "../component.ts";
import { findProgram } from "../programs.ts";
import { answersMongodb } from "./mongodb.ts";

const urlOf = (place: Place) => `mongodb://127.0.0.1:${place.ports.wire}/`;

/**
 * SecantusDB over WiredTiger, as a replica set of one member: it has change streams, validators, users and most kinds of
 * indexes. It says a time for a snapshot read and reads the present all the same, keeps no bytes that a parsed document
 * does not have, and has no text or hashed indexes.
 */
export const secantus: Component<{ url: string }> = {
  title: "MongoDB wire with change streams (SecantusDB)",
  ports: ["wire"],
  setUp: async (progress) => {
    await findProgram("secantus", progress);
  },
  prepare: async (place, progress) => {
    const command = await findProgram("secantus", progress);
    const args = ["--host", "127.0.0.1", "--port", String(place.ports.wire), "--storage-path", join(place.folder, "data")];
    // Whoever opens a change stream waits until it has looked through all of its history.
    const small = ["--cache-size", "256M", "--oplog-max-entries", "8000"];
    return {
      secantus: { command, args: [...args, ...small], cwd: place.folder, env: { PYTHONPATH: dirname(dirname(command)) } },
    };
  },
  check: (place) => answersMongodb(urlOf(place)),
  address: async (place) => ({ url: urlOf(place) }),
  shown: urlOf,
};
