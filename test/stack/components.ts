import type { Component } from "./component.ts";
import { anvil } from "./components/anvil.ts";
import { arlocal } from "./components/arlocal.ts";
import { azurite } from "./components/azurite.ts";
import { cosmos } from "./components/cosmos.ts";
import { ipfs } from "./components/ipfs.ts";
import { mongodb } from "./components/mongodb.ts";
import { postgres } from "./components/postgres.ts";
import { redis } from "./components/redis.ts";
import { s3 } from "./components/s3.ts";
import { secantus } from "./components/secantus.ts";
import { storj } from "./components/storj.ts";
import { temporal } from "./components/temporal.ts";

/** The stack: every component, in the order in which it is shown. */
export const components = { temporal, postgres, mongodb, secantus, redis, cosmos, azurite, s3, storj, ipfs, anvil, arlocal };

export type ComponentName = keyof typeof components;

export const componentNames = Object.keys(components) as ComponentName[];

/** Where each component of a stack is found. */
export type StackAddresses = {
  [Name in ComponentName]: (typeof components)[Name] extends Component<infer Address> ? Address : never;
};

export const componentOf = (name: ComponentName): Component<StackAddresses[ComponentName]> => components[name];

/** What a start without names starts. */
export const usualComponents: readonly ComponentName[] = componentNames.filter((name) => componentOf(name).onlyWhenNamed !== true);
