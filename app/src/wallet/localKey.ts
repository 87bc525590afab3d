// The wallet of a key that the page itself holds.

import { Keypair } from "@stellar/stellar-sdk";
import { KeypairSigner } from "@stellar/stellar-sdk/contract";
import type { Network } from "../chain/networks.js";
import type { Wallet, WalletKind } from "./wallet.js";

export function localWallet(kind: WalletKind, { passphrase }: Network, secret: string): Wallet {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(Keypair.fromSecret(secret), passphrase);
  return { kind, address, signTransaction, signAuthEntry, check: async () => {} };
}

export function newKey(): { address: string; secret: string } {
  const keypair = Keypair.random();
  return { address: keypair.publicKey(), secret: keypair.secret() };
}
