// Of a wallet's answers only the signatures are taken, and only if they are this account's for what was asked.

import { hash, Keypair, TransactionBuilder } from "@stellar/stellar-sdk";
import type { SignAuthEntry, SignTransaction } from "@stellar/stellar-sdk/contract";
import { Problem } from "../words/problem.js";
import type { Wallet } from "./wallet.js";

export const signTransactionBy =
  (wallet: Wallet, passphrase: string): SignTransaction =>
  async (text, options) => {
    const asked = TransactionBuilder.fromXdr(text, passphrase);
    const { signedTxXdr, ...rest } = await wallet.signTransaction(text, options);
    if (rest.error) return { ...rest, signedTxXdr };
    const key = Keypair.fromPublicKey(wallet.address);
    const signature = signaturesOf(signedTxXdr, passphrase).find((signature) => key.verify(asked.hash(), signature));
    if (!signature) throw new Problem("badSignature");
    asked.addSignature(wallet.address, btoa(String.fromCharCode(...signature)));
    return { ...rest, signedTxXdr: asked.toXdr() };
  };

export const signAuthEntryBy =
  (wallet: Wallet): SignAuthEntry =>
  async (preimage, options) => {
    const answer = await wallet.signAuthEntry(preimage, options);
    if (answer.error) return answer;
    const asked = hash(bytesOf(preimage));
    if (!Keypair.fromPublicKey(wallet.address).verify(asked, bytesOf(answer.signedAuthEntry))) throw new Problem("badSignature");
    return answer;
  };

function signaturesOf(text: string, passphrase: string): Uint8Array[] {
  try {
    return TransactionBuilder.fromXdr(text, passphrase).signatures.map(({ signature }) => signature.value);
  } catch {
    return [];
  }
}

function bytesOf(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
