// How a token's amounts are written. What a token says of itself is anybody's text.

import { shortAddress, visible, XLM, type Unit } from "../words/format.js";
import { Problem } from "../words/problem.js";
import { contractIdOf, XLM_ASSET } from "./asset.js";
import type { Network } from "./networks.js";

/** No amount has more digits than a number of 128 bits. */
const MOST_DECIMALS = 38;
const LONGEST_SYMBOL = 12;
/** A text between these two stays in its own direction, and does not turn the sentence around it. */
const [ISOLATE, END] = ["\u2068", "\u2069"];

export function unitOf({ passphrase }: Network, contractId: string, symbol: string, decimals: number): Unit {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > MOST_DECIMALS) throw new Problem("badToken", String(decimals));
  if (contractId === contractIdOf(XLM_ASSET, passphrase)) return XLM;
  const text = visible(symbol);
  const [shown, address] = [cleanText(text, LONGEST_SYMBOL), shortAddress(contractId)];
  if (!text || ["XLM", "NATIVE"].includes(text.normalize("NFKC").toUpperCase())) return { symbol: address, decimals };
  // An asset's code is of plain letters. Others look like them, so what has any is shown with whose it is.
  return { symbol: /^[\w.-]+$/.test(text) ? shown : `${ISOLATE}${shown}${END} (${address})`, decimals };
}

/** Somebody else's text without what cannot be seen, and not longer than that. */
export function cleanText(text: string, longest: number): string {
  const characters = Array.from(visible(text));
  return characters.length > longest ? `${characters.slice(0, longest).join("")}…` : characters.join("");
}
