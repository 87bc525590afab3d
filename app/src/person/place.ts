// The page's address: which contract on which network, and which view of it.

import { StrKey } from "@stellar/stellar-sdk";
import { findNetwork, type Network } from "../chain/networks.js";
import { takePlayKey } from "../wallet/playKey.js";
import { recall, remember } from "./memory.js";
import { cleanName } from "./names.js";

export interface Place {
  contractId: string;
  network: Network;
}

export type View =
  | { name: "home" | "agreements" | "history" | "members" | "admin" }
  /** `called` is how the person who made the link calls itself. */
  | { name: "agreement"; id: bigint; called?: string }
  | { name: "offer"; consumer: string; called?: string }
  | { name: "statement"; month: string; neighbour: string }
  | { name: "sign"; entry: string }
  | { name: "approve"; envelope: string }
  /** The address is none of this page, such as a link that was cut. */
  | { name: "nowhere" };

interface Remembered {
  contractId: string;
  network: string;
  rpc: string | null;
}

const KEY = "place";
/** The largest number that the contract can take for an id. */
const MAX_ID = 2n ** 64n - 1n;

/** The contract and network that the link names, or else those of the last time. */
export function readPlace(): Place | undefined {
  const query = new URLSearchParams(location.search);
  const asked = { contractId: query.get("contract") ?? "", network: query.get("network") ?? "testnet", rpc: query.get("rpc") };
  const wanted = asked.contractId ? asked : recall<Remembered>(KEY);
  const network = wanted && findNetwork(wanted.network, wanted.rpc);
  takePlayKey(network);
  if (!wanted || !network || !StrKey.isValidContract(wanted.contractId)) return undefined;
  remember(KEY, wanted);
  // The address bar gets the whole place, so that a link that is copied from it can be opened by others.
  if (!asked.contractId) history.replaceState(null, "", placeQuery(wanted) + location.hash);
  return { contractId: wanted.contractId, network };
}

export function forgetPlace(): void {
  remember(KEY, undefined);
  location.assign(location.pathname);
}

export function placeQuery({ contractId, network, rpc }: Remembered): string {
  const query = new URLSearchParams({ contract: contractId, network });
  if (rpc) query.set("rpc", rpc);
  return `?${query}`;
}

export function readView(hash: string): View {
  const [name, first, second] = decoded(hash);
  const called = second ? { called: cleanName(second) } : {};
  switch (name) {
    case "agreements":
    case "history":
    case "members":
    case "admin":
      return { name };
    case "agreement":
      return /^\d{1,20}$/.test(first) && BigInt(first) <= MAX_ID ? { name, id: BigInt(first), ...called } : { name: "nowhere" };
    case "offer":
      return { name, consumer: first, ...called };
    case "statement":
      return /^\d{4}-\d{2}$/.test(first) ? { name, month: first, neighbour: second } : { name: "history" };
    case "sign":
      return { name, entry: first };
    case "approve":
      return { name, envelope: first };
    case "":
    case "home":
      return { name: "home" };
    default:
      return { name: "nowhere" };
  }
}

function decoded(hash: string): [name: string, first: string, second: string] {
  try {
    const [name = "", first = "", second = ""] = hash.replace(/^#\/?/, "").split("/", 3).map(decodeURIComponent);
    return [name, first, second];
  } catch {
    return ["nowhere", "", ""];
  }
}

export function href(view: View): string {
  return `#/${[view.name, ...argumentsOf(view)].map(encodeURIComponent).join("/")}`;
}

function argumentsOf(view: View): string[] {
  switch (view.name) {
    case "agreement":
      return [String(view.id), ...(view.called ? [view.called] : [])];
    case "offer":
      return [...(view.consumer ? [view.consumer] : []), ...(view.called ? [view.called] : [])];
    case "statement":
      return [view.month, view.neighbour];
    case "sign":
      return [view.entry];
    case "approve":
      return [view.envelope];
    default:
      return [];
  }
}

/** A link that another person can open. */
export const fullLink = (view: View) => new URL(href(view), location.href).href;

export const go = (view: View) => location.assign(href(view));
