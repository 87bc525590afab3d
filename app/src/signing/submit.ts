// The way of a call into the ledger: simulate, sign, send, wait.

import { BASE_FEE, TransactionBuilder, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Chain } from "../chain/chain.js";
import { assemble, value, type Assembled, type Call } from "../contract/calls.js";
import { recall, remember } from "../person/memory.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem } from "../words/problem.js";
import { simulatedFee, type Fee } from "./fee.js";
import { movements, type Movement } from "./movements.js";
import { addSignature } from "./share.js";

export interface Prepared {
  call: Call;
  assembled: Assembled;
  movements: Movement[];
  fee: Fee;
}

/** What the ledger says of a call that went through. */
export interface Receipt {
  method: Call["method"];
  hash: string;
  fee: Fee;
}

/** A call that was signed, and whose end this browser has not seen yet. */
interface Pending {
  contractId: string;
  method: Call["method"];
  transaction: string;
  sentAt: number;
}

const PENDING = "pending";
/** A transaction is valid for so many seconds, which leaves time to read it and to approve it in a wallet. */
const VALID = 300;
/** After so many seconds no transaction can enter a ledger any more. */
const GIVE_UP = VALID + 30;

/** Builds and simulates a call of `source`, with another person's signature if there is one. It throws the reason if the call would fail. */
export async function prepare(
  chain: Chain,
  tokenId: string,
  call: Call,
  source: string,
  signed?: xdr.SorobanAuthorizationEntry,
): Promise<Prepared> {
  const { sorobanInclusionFee } = await chain.server.getFeeStats();
  // All are zero where no contract was called in the last ledgers.
  const fee = String(Math.max(Number(sorobanInclusionFee.p80), Number(BASE_FEE)));
  const assembled = await assemble(chain.client, call, { publicKey: source, fee, timeoutInSeconds: VALID });
  value(assembled);
  if (signed) await addSignature(assembled, signed);
  return {
    call,
    assembled,
    movements: movements(assembled, tokenId),
    fee: await simulatedFee(chain, assembled),
  };
}

/** Signs a prepared call and sends it. It is remembered until its end is known, so that a reload loses nothing. */
export async function send(chain: Chain, { call, assembled }: Prepared, wallet: Wallet, onSent: () => void): Promise<Receipt> {
  await wallet.check();
  await assembled.sign({ signTransaction: wallet.signTransaction });
  if (!assembled.signed) throw new Problem("walletFailed");
  const pending = { contractId: chain.contractId, method: call.method, transaction: assembled.signed.toXdr(), sentAt: Date.now() };
  remember(PENDING, pending);
  const sent = await chain.server.sendTransaction(assembled.signed);
  if (sent.status === "ERROR" || sent.status === "TRY_AGAIN_LATER") {
    remember(PENDING, undefined);
    throw sent.status === "ERROR" ? refusal(sent.errorResult?.result.type) : new Problem("busy");
  }
  onSent();
  return await outcome(chain, pending, sent.hash);
}

/** The call that was signed before a reload, if its end is not known. */
export function pendingCall({ contractId }: Chain): Pending | undefined {
  const pending = recall<Pending>(PENDING);
  return pending?.contractId === contractId ? pending : undefined;
}

/** Sends the same transaction once more, which can enter the ledger only once, and waits for its end. */
export async function resend(chain: Chain, pending: Pending): Promise<Receipt> {
  const transaction = TransactionBuilder.fromXdr(pending.transaction, chain.network.passphrase);
  const { hash } = await chain.server.sendTransaction(transaction);
  return await outcome(chain, pending, hash);
}

/** Waits for a call's end. If the network cannot be reached the call stays pending, and nothing else is sent before its end is known. */
async function outcome({ server }: Chain, { method, sentAt }: Pending, hash: string): Promise<Receipt> {
  const left = Math.ceil(GIVE_UP - (Date.now() - sentAt) / 1000);
  const found = await server.pollTransaction(hash, { attempts: Math.max(1, left), sleepStrategy: () => 1000 });
  remember(PENDING, undefined);
  if (found.status === Api.GetTransactionStatus.NOT_FOUND) throw new Problem("lost");
  if (found.status === Api.GetTransactionStatus.FAILED) throw new Problem("stale");
  return { method, hash, fee: { total: found.resultXdr.feeCharged, rent: rentCharged(found.resultMetaXdr) } };
}

function rentCharged(meta: xdr.TransactionMeta): bigint {
  if (meta.type !== "v4" || meta.value.sorobanMeta?.ext.type !== "v1") return 0n;
  return meta.value.sorobanMeta.ext.value.rentFeeCharged;
}

function refusal(code: string | undefined): Problem {
  switch (code) {
    case "txInsufficientBalance":
      return new Problem("tooLittleXlm");
    case "txNoAccount":
      return new Problem("noAccount");
    case "txBadSeq":
    case "txTooLate":
    case "txSorobanInvalid":
    case "txInsufficientFee":
      return new Problem("stale", code);
    default:
      return new Problem("unknown", code);
  }
}
