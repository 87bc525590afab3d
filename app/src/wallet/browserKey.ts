// A key in this browser, for trying out on networks whose money is worth nothing.

import { StrKey } from "@stellar/stellar-sdk";
import type { Network } from "../chain/networks.js";
import { loadPart } from "../parts/loadPart.js";
import { recall, remember } from "../person/memory.js";
import { isText } from "../person/shapes.js";
import { Problem } from "../words/problem.js";
import type { Connector, Wallet } from "./wallet.js";

const key = ({ name }: Network) => `key on ${name}`;

export const browserKey: Connector = {
  kind: "browser",
  offered: ({ friendbotUrl }) => friendbotUrl !== undefined,
  /** Makes a key and has its account funded, or takes the one that was made before. */
  async connect(network) {
    const known = await recallKey(network);
    if (known) return known;
    const { localWallet, newKey } = await localKey();
    const { address, secret } = newKey();
    const answer = await fetch(`${network.friendbotUrl}?addr=${address}`);
    if (!answer.ok) throw new Problem("busy");
    remember(key(network), secret);
    return localWallet("browser", network, secret);
  },
  reconnect: recallKey,
};

const localKey = () => loadPart(() => import("./localKey.js"));

async function recallKey(network: Network): Promise<Wallet | undefined> {
  const secret = recall(key(network));
  return network.friendbotUrl && isText(secret) && StrKey.isValidEd25519SecretSeed(secret) ? (await localKey()).localWallet("browser", network, secret) : undefined;
}
