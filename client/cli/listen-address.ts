import { Failure } from "../../core/domain/failure.ts";

/** Host and port of `--listen`; an IPv6 address in brackets. */
export const listenAddress = (text: string): { host: string; port: number } => {
  const match = /^(?:\[([\da-f:]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new Failure("UsageInvalid", `--listen must be a host and a port as 127.0.0.1:7380 (is "${text}")`);
  return { host: match[1] ?? match[2] ?? "", port };
};

export const urlOf = (host: string, port: number): string => `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
