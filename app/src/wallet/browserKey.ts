// A key in this browser, for trying out on networks whose money is worth nothing.

import { Keypair } from "@stellar/stellar-sdk";
import { KeypairSigner } from "@stellar/stellar-sdk/contract";
import type { Network } from "../chain/networks.js";
import { recall, remember } from "../person/memory.js";
import { Problem } from "../words/problem.js";
import type { Connector, Wallet } from "./wallet.js";

const key = ({ name }: Network) => `key on ${name}`;

export const browserKey: Connector = {
  kind: "browser",
  offered: ({ friendbotUrl }) => friendbotUrl !== undefined,
  /** Makes a key and has its account funded, or takes the one that was made before. */
  async connect(network) {
    const known = recallKey(network);
    if (known) return known;
    const keypair = Keypair.random();
    const answer = await fetch(`${network.friendbotUrl}?addr=${keypair.publicKey()}`);
    if (!answer.ok) throw new Problem("busy");
    remember(key(network), keypair.secret());
    return wallet(network, keypair);
  },
  reconnect: (network) => Promise.resolve(recallKey(network)),
};

function recallKey(network: Network): Wallet | undefined {
  const secret = recall<string>(key(network));
  return network.friendbotUrl && secret ? wallet(network, Keypair.fromSecret(secret)) : undefined;
}

function wallet({ passphrase }: Network, keypair: Keypair): Wallet {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(keypair, passphrase);
  return { kind: "browser", address, signTransaction, signAuthEntry, check: async () => {} };
}
