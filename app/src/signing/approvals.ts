// Accounts with several signers: a call of such an account travels as a link, and everybody who opens it sees what it does, from the signed
// bytes, and can add a signature. Whoever has the last one sends it.

import { Keypair, StrKey, TransactionBuilder, type FeeBumpTransaction, type Transaction, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Config } from "../../client/src/index.js";
import { spendable, xlmOf } from "../chain/holdings.js";
import type { SigningChain as Chain } from "../chain/sdk.js";
import { prolongs, type Call } from "../contract/calls.js";
import { readCall } from "../contract/readCall.js";
import { Problem } from "../words/problem.js";
import { fromText, toText } from "./share.js";
import { entriesOf, hashOf, mayBeSigned, prepare, until, withinMeans, type Prepared } from "./submit.js";

/** For so many seconds the signatures can be collected, a day: until then the account can send nothing else. */
export const APPROVAL_HOLDS = 24 * 60 * 60;

/** By so many seconds the network that answers may be behind the one that answered whoever made the link. */
const BEHIND = 60 * 60;

interface Signer {
  address: string;
  weight: number;
}

/** Who can sign for an account, and the weights that it asks for. */
interface Signers {
  signers: Signer[];
  low: number;
  medium: number;
  /** The number of the account's last transaction. */
  sequence: bigint;
  /** What the account can spend, in stroops. */
  spendable: bigint;
}

export type ApprovalState = "open" | "done" | "failed" | "replaced" | "expired";

export interface Approval {
  signers: Signer[];
  /** The weight that the call needs. */
  needed: number;
  transaction: Transaction;
  call: Call;
  account: string;
  signed: Set<string>;
  weight: number;
  /** In Unix seconds. */
  expiresAt: bigint;
  state: ApprovalState;
  /** What it would do now, and whether it may be signed; only while it can still be sent. */
  review?: Prepared;
}

/** The account's own key counts as one of its signers. Other kinds than keys are left out: this page cannot sign for them. */
export async function readSigners({ server }: Chain, account: string): Promise<Signers> {
  const entry = await server.getAccountEntry(account);
  const { thresholds, signers, seqNum } = entry;
  const [own = 0, low = 0, medium = 0] = thresholds.value;
  const others = signers.flatMap(({ key, weight }) =>
    key.type === "signerKeyTypeEd25519" ? [{ address: StrKey.encodeEd25519PublicKey(key.value.value), weight }] : [],
  );
  const all = [{ address: account, weight: own }, ...others].filter(({ weight }) => weight > 0);
  return { signers: all, low, medium, sequence: seqNum, spendable: spendable(xlmOf(entry)) };
}

/** The weight that a transaction of this call needs: a signature even where it is none, and no more than its operation needs. */
const neededFor = (call: Call, { low, medium }: Signers): number => Math.max(1, low, prolongs(call) ? 0 : medium);

/** Whether the account's own key is not enough for its calls. */
export const needsOthers = (known: Signers, account: string, call: Call): boolean =>
  (known.signers.find(({ address }) => address === account)?.weight ?? 0) < neededFor(call, known);

/** A call that waits for its signatures, as a link carries it. */
export async function draftApproval(chain: Chain, { transaction }: Prepared): Promise<string> {
  const { closeTime } = await chain.server.getLatestLedger();
  return textOf(until(Number(closeTime) + APPROVAL_HOLDS, transaction));
}

/** Reads a link from what is to be signed, and asks the ledger whether it can still be sent. It throws what makes it more than this page would have made of its call. */
export async function readApproval(chain: Chain, config: Config, text: string): Promise<Approval> {
  const transaction = parse(chain, text);
  const call = readCall(chain, transaction);
  const account = transaction.source;
  const [known, sent, latest] = await Promise.all([
    readSigners(chain, account),
    chain.server.getTransaction(hashOf(transaction)),
    chain.server.getLatestLedger(),
  ]);
  const { signers, sequence } = known;
  const needed = neededFor(call, known);
  const { signed, weight } = keepNeeded(transaction, signers, needed);
  const expiresAt = BigInt(transaction.timeBounds?.maxTime ?? 0);
  const ended = { [Api.GetTransactionStatus.SUCCESS]: "done", [Api.GetTransactionStatus.FAILED]: "failed" } as const;
  const approval = { transaction, call, account, signers, needed, signed, weight, expiresAt };
  if (sent.status !== Api.GetTransactionStatus.NOT_FOUND) return { ...approval, state: ended[sent.status] };
  const now = BigInt(latest.closeTime);
  if (now > expiresAt) return { ...approval, state: "expired" };
  const number = BigInt(transaction.sequence);
  if (sequence >= number) return { ...approval, state: "replaced" };
  // What waits for another transaction, or for longer than a day, could be sent at a time that nobody expects.
  if (sequence + 1n !== number) throw new Problem("linkNumber");
  if (expiresAt > now + BigInt(APPROVAL_HOLDS + BEHIND)) throw new Problem("linkConditions");
  return { ...approval, state: "open", review: withinMeans(await reviewOf(chain, config, call, transaction), known.spendable) };
}

/** What the link's own transaction would do and cost, against one that is made of its call now. */
async function reviewOf(chain: Chain, config: Config, call: Call, transaction: Transaction): Promise<Prepared> {
  const entries = entriesOf(transaction);
  const other = entries.find(({ credentials }) => credentials.type === "sorobanCredentialsAddress");
  const made = await prepare(chain, config, call, transaction.source, other);
  // What the account authorises by its signature is what the call needs, and nothing besides.
  if (made.verdict.refusals.length === 0 && !sameEntries(entries, entriesOf(made.transaction))) throw new Problem("linkAuth");
  const price = { ...made.price, total: BigInt(transaction.fee) };
  if (prolongs(call) && price.total > 2n * made.price.total) throw new Problem("linkFee");
  return { ...made, transaction, price, mayBeSigned: mayBeSigned(config, call, transaction.source, { ...made, price }) };
}

/** Whether this account's signature is one that the transaction still needs. */
export const waitsFor = ({ signers, signed, weight, needed }: Approval, address: string | undefined): boolean =>
  weight < needed && signers.some((signer) => signer.address === address && !signed.has(signer.address));

function parse({ network }: Chain, text: string): Transaction {
  const transaction = parseAny(text, network.passphrase);
  // Somebody else pays the fee of it.
  if ("innerTransaction" in transaction) throw new Problem("linkSource");
  return transaction;
}

function parseAny(text: string, passphrase: string): Transaction | FeeBumpTransaction {
  try {
    return TransactionBuilder.fromXdr(btoa(String.fromCharCode(...fromText(text))), passphrase);
  } catch {
    throw new Problem("badLink");
  }
}

/** Leaves the transaction only signatures that it needs: with one of a stranger, or one too many, which whoever passes a link on can add, the network takes none. */
function keepNeeded(transaction: Transaction, signers: Signer[], needed: number): Pick<Approval, "signed" | "weight"> {
  const { signatures } = transaction;
  const given = signatures.splice(0);
  const hash = transaction.hash();
  const signed = new Set<string>();
  let weight = 0;
  for (const { address, weight: own } of signers) {
    const found = weight < needed && given.find(({ signature }) => Keypair.fromPublicKey(address).verify(hash, signature.value));
    if (!found) continue;
    signatures.push(found);
    signed.add(address);
    weight += own;
  }
  return { signed, weight };
}

/** Whether they are the same, in whatever order. */
function sameEntries(some: xdr.SorobanAuthorizationEntry[], others: xdr.SorobanAuthorizationEntry[]): boolean {
  const texts = (entries: xdr.SorobanAuthorizationEntry[]) => entries.map((entry) => entry.toXdr("base64")).sort();
  return JSON.stringify(texts(some)) === JSON.stringify(texts(others));
}

export const textOf = (transaction: Transaction): string => toText(transaction.toEnvelope().toXdr());
