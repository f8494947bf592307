import { computeAddress } from "ethers";
import { Failure } from "../domain/failure.ts";

/** The private key in `text`. Throws `ConfigurationInvalid` without repeating it. */
export const parsePrivateKey = (store: string, text: string): `0x${string}` => {
  const key = text.trim();
  if (!/^0x[0-9a-f]{64}$/i.test(key) || /^0x0+$/.test(key)) {
    throw new Failure("ConfigurationInvalid", `store "${store}": the wallet is no private key (0x and 64 hexadecimal digits)`);
  }
  return key as `0x${string}`;
};

/** What the wallet is called on the chain. Throws as `parsePrivateKey`. */
export const walletAddress = (store: string, text: string): string => computeAddress(parsePrivateKey(store, text));
