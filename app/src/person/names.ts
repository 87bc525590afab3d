// What this person calls the others: an address book that stays in this browser, and travels as a file.

import { StrKey } from "@stellar/stellar-sdk";
import { isolated, shortAddress, visible } from "../words/format.js";
import { recall, remember } from "./memory.js";
import { isText } from "./shapes.js";

export type Names = Record<string, string>;

const KEY = "names";
const OWN = "own name";
const LONGEST = 40;

export const isAddress = (text: string) => StrKey.isValidEd25519PublicKey(text) || StrKey.isValidContract(text);

/** A name as it may be shown: one line of what can be seen. */
export const cleanName = (text: string) => Array.from(visible(text)).slice(0, LONGEST).join("");

/** A name in a sentence, with the address that it is for. */
export const named = (name: string, address: string) => `${isolated(name)} (${shortAddress(address)})`;

export const readNames = (): Names => takeNames(recall(KEY)) ?? {};

export const keepNames = (names: Names) => remember(KEY, names);

/** How this person wants to be called in the links that it sends. */
export function readOwnName(): string {
  const name = recall(OWN);
  return isText(name) ? cleanName(name) : "";
}

export const keepOwnName = (name: string) => remember(OWN, cleanName(name) || undefined);

/** The names with one changed, or with one less if the name is empty. */
export function withName(names: Names, address: string, name: string): Names {
  const others = Object.entries(names).filter(([named]) => named !== address);
  const cleaned = cleanName(name);
  return Object.fromEntries(cleaned ? [...others, [address, cleaned]] : others);
}

/** Another address that has this name already, so that nobody passes for somebody else unseen. */
export const namesake = (names: Names, address: string, name: string) =>
  Object.entries(names).find(([other, known]) => other !== address && alike(known) === alike(name))?.[0];

/** The name without differences that are hard to see, such as wide letters and small ones. */
const alike = (name: string) => cleanName(name.normalize("NFKC")).toLowerCase();

export const toNamesFile = (names: Names) => `${JSON.stringify({ names }, null, 2)}\n`;

/** The names in a file, or undefined if it is none of addresses and names. */
export function readNamesFile(text: string): Names | undefined {
  try {
    const file = JSON.parse(text) as { names?: unknown } | null;
    return takeNames(file?.names);
  } catch {
    return undefined;
  }
}

function takeNames(from: unknown): Names | undefined {
  if (typeof from !== "object" || from === null) return undefined;
  const pairs = Object.entries(from).map(([address, name]) => [address, typeof name === "string" ? cleanName(name) : ""] as const);
  return pairs.every(([address, name]) => isAddress(address) && name) ? Object.fromEntries(pairs) : undefined;
}

/** Adds the names of a file to one's own, which stay where they differ. */
export function mergeNames(own: Names, added: Names): { names: Names; added: number; differ: number } {
  const fresh = Object.keys(added).filter((address) => !(address in own));
  const differ = Object.keys(added).filter((address) => address in own && own[address] !== added[address]);
  return { names: { ...added, ...own }, added: fresh.length, differ: differ.length };
}
