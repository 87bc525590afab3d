// Transactions that call no contract: what the page builds itself, a wallet signs, and the network takes at once.

import { Account, BASE_FEE, TransactionBuilder, type Transaction, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Chain } from "../chain/chain.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem } from "../words/problem.js";

/** A transaction is valid for so many seconds by the ledger's clock. */
const VALID = 300;

export async function build(
  { server, network }: Chain,
  source: string,
  operation: xdr.Operation,
  sorobanData?: xdr.SorobanTransactionData,
): Promise<Transaction> {
  const [account, { closeTime }] = await Promise.all([server.getAccount(source), server.getLatestLedger()]);
  const builder = new TransactionBuilder(new Account(source, account.sequenceNumber()), {
    fee: BASE_FEE,
    networkPassphrase: network.passphrase,
    timebounds: { minTime: 0, maxTime: Number(closeTime) + VALID },
  }).addOperation(operation);
  return (sorobanData ? builder.setSorobanData(sorobanData) : builder).build();
}

/** Has the wallet sign it, sends it, and answers what it cost. */
export async function signAndSend({ server, network }: Chain, transaction: Transaction, wallet: Wallet): Promise<bigint> {
  await wallet.check();
  const { signedTxXdr } = await wallet.signTransaction(transaction.toXdr(), { networkPassphrase: network.passphrase, address: wallet.address });
  const signed = TransactionBuilder.fromXdr(signedTxXdr, network.passphrase);
  // A wallet adds signatures, and changes nothing else.
  if (String(signed.hash()) !== String(transaction.hash())) throw new Problem("walletFailed");
  const { hash, status, errorResult } = await server.sendTransaction(signed);
  if (status === "TRY_AGAIN_LATER") throw new Problem("busy");
  if (status === "ERROR") throw new Problem(errorResult?.result.type === "txInsufficientBalance" ? "tooLittleXlm" : "refused");
  const end = await server.pollTransaction(hash, { attempts: VALID, sleepStrategy: () => 1000 });
  if (end.status !== Api.GetTransactionStatus.SUCCESS) throw new Problem("refused");
  return end.resultXdr.feeCharged;
}
