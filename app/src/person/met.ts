// With whom this browser has sent something that went through: an offer, a deposit, a payment.

import { recall, remember } from "./memory.js";
import { isAddress } from "./names.js";
import { isText, those } from "./shapes.js";

const KEY = "met";
const MOST = 1000;

const all = () => those(recall(KEY), (value): value is string => isText(value) && isAddress(value));

export const metBefore = (): Set<string> => new Set(all());

export function keepMet(addresses: string[]): void {
  if (addresses.length > 0) remember(KEY, [...new Set([...addresses, ...all()])].slice(0, MOST));
}
