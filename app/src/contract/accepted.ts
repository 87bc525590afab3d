// The code that this page knows. A signature for a contract that runs other code needs the person's word.

import type { Codes } from "../chain/code.js";

/** The SHA-256 of the Wasm that this page was built with, and of those in releases.json. */
declare const __ACCEPTED_WASM__: readonly string[];

export const acceptedWasm = (): readonly string[] => __ACCEPTED_WASM__;

/** What the page cannot vouch for: the contract's code is another than what was published, or can change; the token is no asset of the network. */
export type Doubt = "otherCode" | "changingCode" | "foreignToken";

export function doubtsOf({ contract, token }: Codes, accepted: readonly string[]): Doubt[] {
  const doubts: Doubt[] = [];
  if (contract.kind !== "wasm") doubts.push("changingCode");
  else if (!accepted.includes(contract.hash)) doubts.push("otherCode");
  if (token.kind !== "asset") doubts.push("foreignToken");
  return doubts;
}
