import { Failure } from "../domain/failure.ts";

/** The optional packages, which only a Filecoin store needs. */
const load = async () => {
  const [sdk, pieces, registry, typed, viem, accounts] = await Promise.all([
    import("@filoz/synapse-sdk"),
    import("@filoz/synapse-core/piece"),
    import("@filoz/synapse-core/sp-registry"),
    import("@filoz/synapse-core/typed-data"),
    import("viem"),
    import("viem/accounts"),
  ]);
  return { sdk, pieces, registry, typed, viem, accounts };
};

export type FilecoinSdk = Awaited<ReturnType<typeof load>>;

/** Loads them when they are first needed. Throws `ConfigurationInvalid`, saying how to get them, when they are not installed. */
export const loadFilecoinSdk = async (where: string, loader: () => Promise<FilecoinSdk> = load): Promise<FilecoinSdk> => {
  try {
    return await loader();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const what = `${where}: a store of kind filecoin needs packages that are not installed; in dbgov's folder, run: npm install ${packages}`;
    throw new Failure("ConfigurationInvalid", what, { cause: error });
  }
};

/** In the versions that the driver was tested with. */
const packages = "--no-save @filoz/synapse-sdk@0.41.0 @filoz/synapse-core@0.5.2 viem@2.57.20";
