// What builds, signs and sends needs most of the SDK, which is as large as the rest of the page: it is loaded after the first view is shown.

import type { Chain } from "../chain/chain.js";
import type { SigningChain } from "../chain/sdk.js";
import { loadPart } from "../parts/loadPart.js";

export type Tools = Omit<typeof import("./tools.js"), "withSdk"> & { chain: SigningChain };

/** The tools, and the chain with which they work. */
export async function toolsFor(chain: Chain): Promise<Tools> {
  const { withSdk, ...tools } = await loadPart(() => import("./tools.js"));
  return { ...tools, chain: withSdk(chain) };
}

/** Fetches them while nobody waits. Where that fails, whoever needs them tries again and tells. */
export const fetchTools = (): void => void import("./tools.js").catch(() => undefined);
