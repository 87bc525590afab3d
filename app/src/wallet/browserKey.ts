// A key in this browser, for trying out on networks whose money is worth nothing.

import { Keypair } from "@stellar/stellar-sdk";
import { KeypairSigner } from "@stellar/stellar-sdk/contract";
import type { Network } from "../chain/networks.js";
import { recall, remember } from "../person/memory.js";
import { Problem } from "../words/problem.js";
import type { Wallet } from "./wallet.js";

const key = ({ name }: Network) => `key on ${name}`;

/** The key that was made before, if there is one. */
export function recallBrowserKey(network: Network): Wallet | undefined {
  const secret = recall<string>(key(network));
  return network.friendbotUrl && secret ? browserKey(network, Keypair.fromSecret(secret)) : undefined;
}

/** Makes a key and has its account funded, or takes the one that was made before. */
export async function makeBrowserKey(network: Network): Promise<Wallet> {
  if (!network.friendbotUrl) throw new Problem("noWallet");
  const known = recallBrowserKey(network);
  if (known) return known;
  const keypair = Keypair.random();
  const answer = await fetch(`${network.friendbotUrl}?addr=${keypair.publicKey()}`);
  if (!answer.ok) throw new Problem("busy");
  remember(key(network), keypair.secret());
  return browserKey(network, keypair);
}

function browserKey({ passphrase }: Network, keypair: Keypair): Wallet {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(keypair, passphrase);
  return { kind: "browser", address, signTransaction, signAuthEntry, check: async () => {} };
}
