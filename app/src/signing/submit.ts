// What the machine in story.ts asks of the network: to simulate a call, to send what was signed, and to say how it ended.

import { BASE_FEE, scValToNative, TransactionBuilder, type Transaction, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Chain } from "../chain/chain.js";
import { assemble, readCall, value, type Assembled, type Call } from "../contract/calls.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem } from "../words/problem.js";
import { movements, transfers, type Movement } from "./movements.js";
import { FEE_LIMIT, priceOf, type Price } from "./price.js";
import { isRecorded } from "./records.js";
import { review, type Verdict } from "./review.js";
import { invokedBy, isFor, setEntries } from "./share.js";
import type { End, Event, SignedCall } from "./story.js";

export interface Prepared {
  call: Call;
  assembled: Assembled;
  movements: Movement[];
  /** In stroops: the most that can be charged. What is not used comes back at once. */
  fee: bigint;
  verdict: Verdict;
  price: Price;
  /** Whether the person may go on to the wallet. */
  mayBeSigned: boolean;
}

/** What the ledger says of a call. */
export interface Receipt {
  /** What was charged, in stroops. */
  fee: bigint;
  /** The time of its ledger, in Unix seconds. */
  at: number;
  /** The payments that it made. */
  movements: Movement[];
  /** The number that the call answers with, if it makes an agreement. */
  agreement?: bigint;
}

/** What is kept of a signed call: all else is read from what was signed. */
export interface Kept {
  transaction: string;
  signedAt: number;
  form?: string;
}

/** A transaction is valid for so many seconds, which leaves time to read it and to approve it in a wallet. */
const VALID = 300;

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
  const assembled = await assemble(chain.client, call, { publicKey: source, fee });
  value(assembled);
  if (signed && !isFor(assembled, signed)) throw new Problem("damagedLink");
  const simulated = () => {
    const { simulation } = assembled;
    if (!simulation || !Api.isSimulationSuccess(simulation)) throw new Error("not simulated");
    return simulation;
  };
  const judge = (): Verdict => {
    const simulation = simulated();
    const { passphrase } = chain.network;
    return review({ method: call.method, invoked: invokedBy(assembled), simulation, source, tokenId, passphrase, signed });
  };
  let verdict = judge();
  setEntries(assembled, verdict.auth);
  // With both signatures in it, it is simulated as it will be applied.
  if (signed && verdict.refusals.length === 0) {
    await assembled.simulate();
    value(assembled);
    verdict = judge();
  }
  const price = priceOf(simulated(), assembled.built ?? { fee: "0" });
  return {
    call,
    assembled,
    movements: movements(assembled, tokenId),
    fee: BigInt(assembled.built?.fee ?? 0),
    verdict,
    price,
    mayBeSigned: verdict.refusals.length === 0 && price.total <= FEE_LIMIT,
  };
}

/** Has the wallet sign a prepared call. */
export async function sign(chain: Chain, { assembled }: Prepared, wallet: Wallet): Promise<Kept> {
  await wallet.check();
  const signedAt = Number((await chain.server.getLatestLedger()).closeTime);
  const asked = until(signedAt + VALID, assembled);
  await assembled.sign({ signTransaction: (_, options) => wallet.signTransaction(asked.toXdr(), options) });
  const { signed } = assembled;
  // A wallet adds signatures, and changes nothing else.
  if (!signed || hashOf(signed) !== hashOf(asked)) throw new Problem("walletFailed");
  return { transaction: signed.toXdr(), signedAt };
}

/** The simulated transaction with its last moment by the ledger's clock: the SDK would count from this machine's, which may be wrong, and add the resource fee twice. */
export function until(maxTime: number, { built, simulationData }: Assembled): Transaction {
  if (!built) throw new Error("not simulated");
  const sorobanData = simulationData.transactionData;
  return TransactionBuilder.cloneFrom(built, { timebounds: { minTime: 0, maxTime }, sorobanData }).build();
}

const hashOf = (transaction: Pick<Transaction, "hash">) => [...transaction.hash()].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function readTransaction({ network }: Chain, { transaction }: Pick<Kept, "transaction">): Transaction {
  const read = TransactionBuilder.fromXdr(transaction, network.passphrase);
  if ("innerTransaction" in read) throw new Error("not a transaction of this page");
  return read;
}

/** Reads a signed call from what was signed. */
export function readSigned(chain: Chain, kept: Kept): SignedCall {
  const read = readTransaction(chain, kept);
  const { transaction, signedAt, form } = kept;
  const { operations, timeBounds } = read;
  const [operation] = operations;
  if (operation?.type !== "invokeHostFunction" || !timeBounds) throw new Error("not a call of this page");
  return {
    hash: hashOf(read),
    transaction,
    call: readCall(chain.client, operation.func),
    signedAt,
    validUntil: Number(timeBounds.maxTime),
    shared: operation.auth?.some(({ credentials }) => credentials.type !== "sorobanCredentialsSourceAccount") ?? false,
    form,
  };
}

/** Sends it. */
export async function send(chain: Chain, signed: SignedCall): Promise<Event> {
  const { hash } = signed;
  const { status, errorResult } = await chain.server.sendTransaction(readTransaction(chain, signed));
  const code = errorResult?.result.type;
  // A browser repeats a request by itself when the connection is closed under it: it may be this call that has used the number, and is in the ledger.
  if (status === "ERROR" && code === "txBadSeq") return whoUsedNumber(chain, signed);
  if (status === "ERROR") return { type: "refused", hash, problem: refusal(code) };
  // It answers so if it is busy, but also for a while about what is in the ledger already.
  return { type: status === "TRY_AGAIN_LATER" ? "untaken" : "accepted", hash };
}

/** How often it is asked who has used a number, and the milliseconds between. */
const TRIES = 15;
const PAUSE = 1000;

/** Answers that it was refused only when the account's number is used and this call is not in the ledger. */
async function whoUsedNumber(chain: Chain, signed: SignedCall): Promise<Event> {
  for (let tries = 0; tries < TRIES; tries++) {
    // Asked in this order: what has used the number is then among what the network knows.
    const used = await hasUsedNumber(chain, signed);
    const { status } = await chain.server.getTransaction(signed.hash);
    if (status !== Api.GetTransactionStatus.NOT_FOUND) return { type: "accepted", hash: signed.hash };
    if (used) return { type: "refused", hash: signed.hash, problem: refusal("txBadSeq") };
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return { type: "untaken", hash: signed.hash };
}

/** Whether the account has used the call's number, for this call or another. */
async function hasUsedNumber(chain: Chain, signed: SignedCall): Promise<boolean> {
  const { source, sequence } = readTransaction(chain, signed);
  return BigInt((await chain.server.getAccount(source)).sequenceNumber()) >= BigInt(sequence);
}

/** Asks for it. */
export async function ask({ server }: Chain, tokenId: string, { hash, call }: SignedCall): Promise<Event> {
  const found = await server.getTransaction(hash);
  if (found.status === Api.GetTransactionStatus.NOT_FOUND) {
    // The network tells its times as texts, whatever the SDK's types say.
    const { latestLedgerCloseTime, oldestLedgerCloseTime }: Record<string, unknown> = { ...found };
    return { type: "missing", hash, ledgerTime: Number(latestLedgerCloseTime), oldestTime: Number(oldestLedgerCloseTime) };
  }
  const charged = { fee: found.resultXdr.feeCharged, at: found.createdAt };
  if (found.status === Api.GetTransactionStatus.FAILED) {
    return { type: "found", hash, end: { kind: "failed", receipt: { ...charged, movements: [] } } };
  }
  const agreement = call.method === "create_agreement" && found.returnValue ? (scValToNative(found.returnValue) as bigint) : undefined;
  const receipt = { ...charged, movements: transfers(found.events.contractEventsXdr.flat(), tokenId), agreement };
  return { type: "found", hash, end: { kind: "done", receipt } };
}

/** Asks the account whether it has used the call's number, and the contract's records whether they show it. */
export async function look(chain: Chain, signed: SignedCall): Promise<End> {
  if (!(await hasUsedNumber(chain, signed))) return { kind: "lapsed" };
  return { kind: (await isRecorded(chain, signed.call)) ? "recorded" : "forgotten" };
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
      return new Problem("refused", code);
    default:
      return new Problem("unknown", code);
  }
}
