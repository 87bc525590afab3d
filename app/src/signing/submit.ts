// What the machine in story.ts asks of the network: to simulate a call, to send what was signed, and to say how it ended.

import { scValToNative, TransactionBuilder, type Transaction, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Config } from "../../client/src/index.js";
import { accountKey } from "../chain/keys.js";
import type { SigningChain as Chain } from "../chain/sdk.js";
import { MOST_FEE } from "../chain/simulation.js";
import { assemble, hex, isNetworkCall, prolongs, value, type Call, type ContractCall, type NetworkCall } from "../contract/calls.js";
import { readCall } from "../contract/readCall.js";
import type { Wallet } from "../wallet/wallet.js";
import { XLM } from "../words/format.js";
import { Problem } from "../words/problem.js";
import { transfers, type Movement } from "./movements.js";
import { build as buildOperation } from "./networkCalls.js";
import { partnersIn, type Partners } from "./partners.js";
import { bid, FEE_LIMIT, priceOf, type Price } from "./price.js";
import { isRecorded } from "./records.js";
import { review, type Verdict } from "./review.js";
import { invokedBy, isFor, setEntries } from "./share.js";
import type { End, Event, SignedCall } from "./story.js";

export interface Prepared {
  call: Call;
  /** What is signed, with time bounds of its own. */
  transaction: Transaction;
  verdict: Verdict;
  /** In stroops: the most that can be charged. What is not used comes back at once. */
  price: Price;
  /** Whether the person may go on to the wallet. */
  mayBeSigned: boolean;
  /** Whom it pays, or binds the account to. */
  parties: Partners;
  /** The XLM that it pays besides the fee, and what the account can spend, where that is not enough for both. */
  lacks?: { pays: bigint; spendable: bigint };
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
  inLink?: boolean;
  form?: string;
}

/** What is signed and sent at once is valid for so many seconds, which leaves time to read it and to approve it in a wallet. */
const VALID = 300;

/** Builds and simulates a call of `source`, with another person's signature if there is one. It throws the reason if the call would fail. */
export async function prepare(
  chain: Chain,
  config: Config,
  call: Call,
  source: string,
  signed?: xdr.SorobanAuthorizationEntry,
): Promise<Prepared> {
  const built = await (isNetworkCall(call) ? build(chain, config.token_contract, call, source) : simulate(chain, config.token_contract, call, source, signed));
  const paid = built.verdict.moves.map(({ to }) => to);
  return { call, ...built, parties: await partnersIn(chain, source, call, paid), mayBeSigned: mayBeSigned(config, call, source, built) };
}

/** Whether nothing speaks against a signature. What brings the contract back or prolongs it may cost its admin whatever is shown. */
export function mayBeSigned({ admin }: Config, call: Call, source: string, { verdict, price }: Pick<Prepared, "verdict" | "price">): boolean {
  const most = prolongs(call) && source === admin ? MOST_FEE : FEE_LIMIT;
  return verdict.refusals.length === 0 && price.total <= most;
}

/** The same, and not to be signed where the account cannot spend as much XLM as it pays with the fee: a simulation charges no fee, so it does not tell. */
export function withinMeans(prepared: Prepared, spendable: bigint): Prepared {
  const { verdict, price, transaction } = prepared;
  const paid = verdict.moves.filter(({ kind, code, from }) => kind === "transfer" && code === XLM.symbol && from === transaction.source);
  const pays = paid.reduce((sum, { amount }) => sum + amount, 0n);
  return pays > 0n && pays + price.total > spendable ? { ...prepared, mayBeSigned: false, lacks: { pays, spendable } } : prepared;
}

type Built = Pick<Prepared, "transaction" | "verdict" | "price">;

async function build(chain: Chain, tokenId: string, call: NetworkCall, source: string): Promise<Built> {
  return { ...(await buildOperation(chain, tokenId, call, source)), verdict: { moves: [], refusals: [], auth: [] } };
}

async function simulate(
  chain: Chain,
  tokenId: string,
  call: ContractCall,
  source: string,
  signed?: xdr.SorobanAuthorizationEntry,
): Promise<Built> {
  const { sorobanInclusionFee } = await chain.server.getFeeStats();
  const assembled = await assemble(chain.client, call, { publicKey: source, fee: bid(sorobanInclusionFee) });
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
  const { built } = assembled;
  if (!built) throw new Error("not simulated");
  return { transaction: built, verdict, price: priceOf(simulated(), built) };
}

/** Has the wallet sign what was prepared. */
export async function sign(chain: Chain, { transaction }: Prepared, wallet: Wallet): Promise<Kept> {
  const signedAt = Number((await chain.server.getLatestLedger()).closeTime);
  const signed = await addSignature(chain, until(signedAt + VALID, transaction), wallet);
  return { transaction: signed.toXdr(), signedAt };
}

/** The transaction with the wallet's signature. */
export async function addSignature(chain: Chain, transaction: Transaction, wallet: Wallet): Promise<Transaction> {
  await wallet.check();
  const { signedTxXdr, error } = await wallet.signTransaction(transaction.toXdr(), {
    networkPassphrase: chain.network.passphrase,
    address: wallet.address,
  });
  if (error) throw new Problem("walletFailed", error.message);
  const signed = readTransaction(chain, { transaction: signedTxXdr });
  // A wallet adds signatures, and changes nothing else.
  if (hashOf(signed) !== hashOf(transaction)) throw new Problem("walletFailed");
  return signed;
}

/** The transaction with its last moment by the ledger's clock: this machine's may be wrong. */
export function until(maxTime: number, transaction: Transaction): Transaction {
  const builder = TransactionBuilder.cloneFrom(transaction, { timebounds: { minTime: 0, maxTime } });
  const data = resourcesOf(transaction);
  return (data ? builder.setSorobanData(data) : builder).build();
}

function resourcesOf(transaction: Transaction): xdr.SorobanTransactionData | undefined {
  const envelope = transaction.toEnvelope();
  return envelope.type === "envelopeTypeTx" && envelope.value.tx.ext.type === "sorobanData" ? envelope.value.tx.ext.sorobanData : undefined;
}

export const hashOf = (transaction: Pick<Transaction, "hash">): string => hex(transaction.hash());

function readTransaction({ network }: Chain, { transaction }: Pick<Kept, "transaction">): Transaction {
  const read = TransactionBuilder.fromXdr(transaction, network.passphrase);
  if ("innerTransaction" in read) throw new Error("not a transaction of this page");
  return read;
}

/** Reads a signed call from what was signed. */
export function readSigned(chain: Chain, kept: Kept): SignedCall {
  const read = readTransaction(chain, kept);
  const { transaction, signedAt, inLink = false, form } = kept;
  return {
    hash: hashOf(read),
    transaction,
    source: read.source,
    call: readCall(chain, read),
    signedAt,
    validUntil: Number(read.timeBounds?.maxTime),
    shared: entriesOf(read).some(({ credentials }) => credentials.type !== "sorobanCredentialsSourceAccount"),
    inLink,
    form,
  };
}

/** What a transaction's call is authorised by. */
export function entriesOf({ operations: [operation] }: Transaction): xdr.SorobanAuthorizationEntry[] {
  return operation?.type === "invokeHostFunction" ? (operation.auth ?? []) : [];
}

/** Sends it. */
export async function send(chain: Chain, signed: SignedCall): Promise<Event> {
  const { hash } = signed;
  const { status, errorResult } = await chain.server.sendTransaction(readTransaction(chain, signed));
  const code = errorResult?.result.type;
  // A browser repeats a request by itself when the connection is closed under it: it may be this call that has used the number, and is in the ledger.
  if (status === "ERROR" && code === "txBadSeq") return whoUsedNumber(chain, signed);
  // So does a phone that wakes up minutes later: when its time is over, the ledger tells whether this call came in time.
  if (status === "ERROR" && code === "txTooLate") return { type: "untaken", hash };
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
    const { used, ledger } = await usedNumber(chain, signed);
    const { status, latestLedger } = await chain.server.getTransaction(signed.hash);
    if (status !== Api.GetTransactionStatus.NOT_FOUND) return { type: "accepted", hash: signed.hash };
    // An address may be that of several servers: one that is behind does not know yet what has used the number.
    if (used && latestLedger >= ledger) return { type: "refused", hash: signed.hash, problem: refusal("txBadSeq") };
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return { type: "untaken", hash: signed.hash };
}

/** Whether the account has used the call's number by this ledger, for this call or another. */
async function usedNumber(chain: Chain, signed: SignedCall): Promise<{ used: boolean; ledger: number }> {
  const { source, sequence } = readTransaction(chain, signed);
  const key = accountKey(source);
  const { latestLedger: ledger, find } = await chain.rpc.entries([key]);
  const entry = find(key)?.val;
  if (entry?.type !== "account") throw new Problem("noAccount");
  return { used: entry.account.seqNum >= BigInt(sequence), ledger };
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
  const { sequence, closeTime } = await chain.rpc.latestLedger();
  const { used, ledger } = await usedNumber(chain, signed);
  if (!used && (closeTime <= signed.validUntil || ledger < sequence)) throw new Problem("offline");
  if (!used) return { kind: "lapsed" };
  return { kind: (await isRecorded(chain, signed)) ? "recorded" : "forgotten" };
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
