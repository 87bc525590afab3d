// Accounts with several signers: a call of such an account travels as a link, and everybody who opens it sees what it does, from the signed
// bytes, and can add a signature. Whoever has the last one sends it.

import { Keypair, StrKey, TransactionBuilder, type Transaction, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Config } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import { readCall, type Call } from "../contract/calls.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem } from "../words/problem.js";
import { fromText, toText } from "./share.js";
import { entriesOf, hashOf, prepare, until, type Prepared } from "./submit.js";

/** For so many seconds the signatures can be collected, a day: until then the account can send nothing else. */
export const APPROVAL_HOLDS = 24 * 60 * 60;

export interface Signer {
  address: string;
  weight: number;
}

/** Who can sign for an account, and the weight that its calls need. */
export interface Signers {
  signers: Signer[];
  needed: number;
  /** The number of the account's last transaction. */
  sequence: bigint;
}

export type ApprovalState = "open" | "done" | "failed" | "replaced" | "expired";

export interface Approval extends Signers {
  transaction: Transaction;
  call: Call;
  account: string;
  signed: Set<string>;
  weight: number;
  /** In Unix seconds. */
  expiresAt: bigint;
  state: ApprovalState;
  /** What it would do now; only while it can still be sent. */
  prepared?: Prepared;
}

/** The account's own key counts as one of its signers. Other kinds than keys are left out: this page cannot sign for them. */
export async function readSigners({ server }: Chain, account: string): Promise<Signers> {
  const { thresholds, signers, seqNum } = await server.getAccountEntry(account);
  const [own = 0, , medium = 0] = thresholds.value;
  const others = signers.flatMap(({ key, weight }) =>
    key.type === "signerKeyTypeEd25519" ? [{ address: StrKey.encodeEd25519PublicKey(key.value.value), weight }] : [],
  );
  const all = [{ address: account, weight: own }, ...others].filter(({ weight }) => weight > 0);
  // The network asks for a signature even where no weight is needed.
  return { signers: all, needed: Math.max(1, medium), sequence: seqNum };
}

/** Whether the account's own key is not enough for its calls. */
export async function needsOthers(chain: Chain, account: string): Promise<boolean> {
  const { signers, needed } = await readSigners(chain, account);
  return (signers.find(({ address }) => address === account)?.weight ?? 0) < needed;
}

/** A call that waits for its signatures, as a link carries it. */
export async function draftApproval(
  chain: Chain,
  config: Config,
  call: Call,
  account: string,
  signed?: xdr.SorobanAuthorizationEntry,
): Promise<string> {
  const { transaction } = await prepare(chain, config, call, account, signed);
  const { closeTime } = await chain.server.getLatestLedger();
  return textOf(until(Number(closeTime) + APPROVAL_HOLDS, transaction));
}

/** Reads a link from what is to be signed, and asks the ledger whether it can still be sent. */
export async function readApproval(chain: Chain, config: Config, text: string): Promise<Approval> {
  const transaction = readTransaction(chain, text);
  const call = readCall(chain, transaction);
  const entries = entriesOf(transaction);
  const account = transaction.source;
  const [known, sent, latest] = await Promise.all([
    readSigners(chain, account),
    chain.server.getTransaction(hashOf(transaction)),
    chain.server.getLatestLedger(),
  ]);
  const signed = new Set(known.signers.map(({ address }) => address).filter((address) => hasSigned(transaction, address)));
  const weight = known.signers.reduce((sum, signer) => sum + (signed.has(signer.address) ? signer.weight : 0), 0);
  const expiresAt = BigInt(transaction.timeBounds?.maxTime ?? 0);
  const ended = { [Api.GetTransactionStatus.SUCCESS]: "done", [Api.GetTransactionStatus.FAILED]: "failed" } as const;
  const approval = { ...known, transaction, call, account, signed, weight, expiresAt };
  if (sent.status !== Api.GetTransactionStatus.NOT_FOUND) return { ...approval, state: ended[sent.status] };
  if (BigInt(latest.closeTime) > expiresAt) return { ...approval, state: "expired" };
  if (known.sequence >= BigInt(transaction.sequence)) return { ...approval, state: "replaced" };
  const other = entries.find(({ credentials }) => credentials.type === "sorobanCredentialsAddress");
  const prepared = await prepare(chain, config, call, account, other);
  // What the account authorises by its signature is what the call needs, and nothing besides.
  if (!sameEntries(entries, entriesOf(prepared.transaction))) throw new Problem("badLink");
  return { ...approval, state: "open", prepared };
}

/** Adds the wallet's signature, and answers the text of the new link. */
export async function sign(chain: Chain, { transaction }: Approval, wallet: Wallet): Promise<string> {
  await wallet.check();
  const { signedTxXdr, error } = await wallet.signTransaction(transaction.toXdr(), { networkPassphrase: chain.network.passphrase });
  if (error) throw new Problem("walletFailed", error.message);
  return textOf(TransactionBuilder.fromXdr(signedTxXdr, chain.network.passphrase) as Transaction);
}

/** Sends it, and waits until it is in a ledger. The same transaction can be there only once, whoever sends it. */
export async function sendApproved({ server }: Chain, { transaction }: Approval): Promise<void> {
  const { status, hash, errorResult } = await server.sendTransaction(transaction);
  if (status === "TRY_AGAIN_LATER") throw new Problem("busy");
  if (status === "ERROR") throw new Problem("refused", errorResult?.result.type);
  await server.pollTransaction(hash, { attempts: 30, sleepStrategy: () => 1000 });
}

function readTransaction({ network }: Chain, text: string): Transaction {
  try {
    const transaction = TransactionBuilder.fromXdr(btoa(String.fromCharCode(...fromText(text))), network.passphrase);
    if (!("innerTransaction" in transaction) && transaction.timeBounds) return transaction;
  } catch {
    // The text is no transaction.
  }
  throw new Problem("badLink");
}

function hasSigned(transaction: Transaction, address: string): boolean {
  const key = Keypair.fromPublicKey(address);
  return transaction.signatures.some(({ signature }) => key.verify(transaction.hash(), signature.value));
}

function sameEntries(some: xdr.SorobanAuthorizationEntry[], others: xdr.SorobanAuthorizationEntry[]): boolean {
  const texts = (entries: xdr.SorobanAuthorizationEntry[]) => entries.map((entry) => toText(entry.toXdr())).sort();
  return JSON.stringify(texts(some)) === JSON.stringify(texts(others));
}

const textOf = (transaction: Transaction) => toText(transaction.toEnvelope().toXdr());
