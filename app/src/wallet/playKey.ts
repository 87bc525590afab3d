// A play key: that of a made-up person, on a network of this machine. It comes in a link, and stays in the tab that opened it.

import { StrKey } from "@stellar/stellar-sdk";
import { isPlayground, type Network } from "../chain/networks.js";
import { loadPart } from "../parts/loadPart.js";
import { recall, remember, rememberPerTab } from "../person/memory.js";
import { isShape, isText, maybe } from "../person/shapes.js";
import type { Connector } from "./wallet.js";

interface Remembered {
  rpcUrl: string;
  /** None once it is disconnected: the tab still touches nothing that other tabs remember. */
  secret?: string;
}

const isRemembered = isShape<Remembered>({ rpcUrl: isText, secret: maybe(isText) });

const KEY = "play key";
/** `#/play/S…`, and the view to open. The fragment of a link is not sent to any server. */
const LINK = /^#\/play\/([^/]*)(\/.*)?$/;

export const isPlayLink = (hash: string) => LINK.test(hash);

/** Takes a play key out of the address bar, and keeps it if it is for this network. Such a tab remembers everything for itself alone. */
export function takePlayKey(network: Network | undefined): void {
  const [, secret, view = "/home"] = LINK.exec(location.hash) ?? [];
  // A view that is a play link itself would take effect when the page is loaded again.
  const opened = isPlayLink(`#${view}`) ? "/home" : view;
  if (secret !== undefined) history.replaceState(null, "", `${location.pathname}${location.search}#${opened}`);
  if (network && isPlayground(network) && secret && StrKey.isValidEd25519SecretSeed(secret)) keep(network, secret);
  rememberPerTab(!!network && !!kept(network));
}

/** It is not offered: it comes by a link. */
export const playKey: Pick<Connector, "reconnect"> = {
  async reconnect(network) {
    const secret = kept(network)?.secret;
    return secret ? (await loadPart(() => import("./localKey.js"))).localWallet("play", network, secret) : undefined;
  },
};

export function forgetPlayKey(network: Network): void {
  if (kept(network)) keep(network, undefined);
}

const keep = ({ rpcUrl }: Network, secret: string | undefined) => remember(KEY, { rpcUrl, secret } satisfies Remembered, "tab");

function kept(network: Network): Remembered | undefined {
  const remembered = recall(KEY, "tab");
  return isPlayground(network) && isRemembered(remembered) && remembered.rpcUrl === network.rpcUrl ? remembered : undefined;
}

/** The names of those who can be played, which the server of this page knows. */
export async function readNeighbours(): Promise<Record<string, string>> {
  const answer = await fetch("neighbours.json");
  return answer.ok ? ((await answer.json()) as Record<string, string>) : {};
}
