// The page's address: which contract on which network, and which view of it.

import { StrKey } from "@stellar/stellar-sdk";
import { findNetwork, type Network } from "../chain/networks.js";
import { takePlayKey } from "../wallet/playKey.js";
import { recall, remember } from "./memory.js";
import { cleanName } from "./names.js";
import { isShape, isText, those } from "./shapes.js";

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

/** A contract that was opened here before, as the address bar names it, and perhaps by this person's own name. */
export interface Known {
  contractId: string;
  network: string;
  rpc: string | null;
  name?: string;
}

const KEY = "place";
/** The largest number that the contract can take for an id. */
const MAX_ID = 2n ** 64n - 1n;
const LIST = "communities";
const CHOSEN = "chosen";

const isKnown = isShape<Known>({
  contractId: isText,
  network: isText,
  rpc: (rpc) => rpc === null || isText(rpc),
  name: (name) => name === undefined || isText(name),
});

function recallKnown(key: string, where?: "tab"): Known | undefined {
  const known = recall(key, where);
  return isKnown(known) ? known : undefined;
}

const isSame = (one: Known, other: Known) => one.contractId === other.contractId && one.network === other.network;

/** All communities that were opened here, that of the last time first. */
export function communities(): Known[] {
  const last = recallKnown(KEY);
  const list = those(recall(LIST), isKnown);
  if (!last) return list;
  return [{ ...list.find((known) => isSame(known, last)), ...last }, ...list.filter((known) => !isSame(known, last))];
}

function keep({ contractId, network, rpc }: Known): void {
  const wanted = { contractId, network, rpc };
  const known = communities();
  const before = known.find((one) => isSame(one, wanted));
  remember(LIST, [{ ...before, ...wanted }, ...known.filter((one) => !isSame(one, wanted))]);
  remember(KEY, wanted);
}

/** What the address leads to: a community, one that has to be asked about first, or none. */
export type Opening =
  /** `keep` is for the time when the contract was read: what is not there replaces nothing. */
  { place: Place; keep: () => void } | { asked: Place; open: () => void } | undefined;

/** The contract and network that the link names, or else those of the last time. A link alone never replaces a community that is remembered. */
export function readPlace(): Opening {
  const query = new URLSearchParams(location.search);
  const asked: Known = { contractId: query.get("contract") ?? "", network: query.get("network") ?? "testnet", rpc: query.get("rpc") };
  const wanted = asked.contractId ? asked : recallKnown(KEY);
  const network = wanted && findNetwork(wanted.network, wanted.rpc);
  takePlayKey(network);
  if (!wanted || !network || !StrKey.isValidContract(wanted.contractId)) return undefined;
  const place = { contractId: wanted.contractId, network };
  const chosen = recallKnown(CHOSEN, "tab");
  const known = [...communities(), ...(chosen ? [chosen] : [])];
  if (communities().length > 0 && !known.some((one) => isSame(one, wanted)))
    return {
      asked: place,
      open() {
        remember(CHOSEN, wanted, "tab");
        location.reload();
      },
    };
  // The address bar gets the whole place, so that a link that is copied from it can be opened by others.
  if (!asked.contractId) history.replaceState(null, "", placeQuery(wanted) + location.hash);
  return { place, keep: () => keep(wanted) };
}

/** Opens a community that the person has chosen. */
export function openCommunity(chosen: Known): void {
  remember(CHOSEN, chosen, "tab");
  location.assign(location.pathname + placeQuery(chosen));
}

/** Opens that of the last time. */
export const stay = (): void => location.assign(location.pathname);

export function nameCommunity(contractId: string, name: string): void {
  remember(
    LIST,
    communities().map((known) => (known.contractId === contractId ? { ...known, name: cleanName(name) || undefined } : known)),
  );
}

export function forgetPlace(): void {
  remember(LIST, communities());
  remember(KEY, undefined);
  location.assign(location.pathname);
}

export function placeQuery({ contractId, network, rpc }: Known): string {
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
