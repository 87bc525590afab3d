// Calls that need two signatures. The first person signs an authorization entry, which names the contract, the function and every argument,
// and holds for some days; it travels as a link. The second person adds it to a call of its own, pays the fee and sends it. So nobody's sequence number has to wait.

import {
  Address,
  buildAuthorizationEntryPreimage,
  checkAuthEntryReadiness,
  hash,
  inspectAuthEntry,
  Keypair,
  Operation,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk";
import type { SigningChain as Chain } from "../chain/sdk.js";
import { SECONDS_PER_LEDGER } from "../chain/ledgers.js";
import { assemble, value, type Assembled, type ContractCall } from "../contract/calls.js";
import { readContractCall } from "../contract/readCall.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem } from "../words/problem.js";
import { needsOthers, readSigners } from "./approvals.js";
import { SIGNATURE_HOLDS } from "./holds.js";
import { invocation, isSame } from "./review.js";

/** The calls that two people sign. */
export type SharedCall = Extract<ContractCall, { method: "register_meter" | "resolve_dispute" }>;

export interface Shared {
  call: SharedCall;
  signer: string;
  /** Whose signature is missing. */
  other: string;
  /** When the first signature ends, in Unix seconds, about. */
  expiresAt: bigint;
  entry: xdr.SorobanAuthorizationEntry;
}

/** Has the first person sign a call that `other` will send, and answers the text of the link. */
export async function signShared(chain: Chain, call: SharedCall, other: string, wallet: Wallet): Promise<string> {
  await wallet.check();
  if (needsOthers(await readSigners(chain, wallet.address), wallet.address, call)) throw new Problem("manySigners");
  const assembled = await assembleFor(chain, call, other);
  const { sequence } = await chain.server.getLatestLedger();
  const expiration = sequence + SIGNATURE_HOLDS / SECONDS_PER_LEDGER;
  setEntries(assembled, [unsignedEntry(assembled, wallet.address)]);
  await assembled.signAuthEntries({ address: wallet.address, signAuthEntry: wallet.signAuthEntry, expiration });
  const entry = entries(assembled).find((entry) => inspectAuthEntry(entry).address === wallet.address);
  if (!entry) throw new Problem("walletFailed");
  return toText(entry.toXdr());
}

/** What a person signs for somebody else's transaction, made from the call: the network has no part in it. */
function unsignedEntry(assembled: Assembled, signer: string): xdr.SorobanAuthorizationEntry {
  const [nonce = 0n] = crypto.getRandomValues(new BigInt64Array(1));
  const credentials = new xdr.SorobanAddressCredentials({
    address: new Address(signer).toScAddress(),
    nonce,
    signatureExpirationLedger: 0,
    signature: xdr.ScVal.scvVoid(),
  });
  return new xdr.SorobanAuthorizationEntry({
    credentials: xdr.SorobanCredentials.sorobanCredentialsAddress(credentials),
    rootInvocation: invocation(invokedBy(assembled)),
  });
}

/** Simulates the call as sent by `other`, so that a reason against it is known before anybody signs. */
export async function assembleFor(chain: Chain, call: SharedCall, other: string): Promise<Assembled> {
  const assembled = await ofOther(assemble(chain.client, call, { publicKey: other }));
  value(assembled);
  return assembled;
}

/** What is read of another person's account, which may not be there. */
const ofOther = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((error: unknown) => {
    throw error instanceof Error && /account not found/i.test(error.message) ? new Problem("noOtherAccount") : error;
  });

/** Reads what a link asks for, from what was signed and from nothing else, so that no link can say one thing and mean another. */
export async function readShared(chain: Chain, admin: string, text: string): Promise<Shared> {
  const entry = parse(text);
  const { address: signer, signatureExpirationLedger, invocation } = inspectAuthEntry(entry);
  const { sequence, closeTime } = await chain.server.getLatestLedger();
  const { expired, ready } = checkAuthEntryReadiness(entry, sequence);
  if (!signer || !signatureExpirationLedger || (!ready && !expired)) throw new Problem("badLink");
  if (!(await isSignedBy(chain, entry, signer))) throw new Problem("damagedLink");
  const call = invokedCall(chain, invocation);
  const expiresAt = BigInt(closeTime) + BigInt((signatureExpirationLedger - sequence) * SECONDS_PER_LEDGER);
  return { call, signer, other: await otherSigner(chain, admin, call, signer), expiresAt, entry };
}

/** Whether all signatures in an entry are of its signer: of keys that its account names, and of enough of them. */
async function isSignedBy(chain: Chain, entry: xdr.SorobanAuthorizationEntry, signer: string): Promise<boolean> {
  const { signatureExpirationLedger, signers } = inspectAuthEntry(entry);
  const signatures = signers.flatMap(({ signatures }) => signatures ?? []);
  const payload = hash(buildAuthorizationEntryPreimage(entry, signatureExpirationLedger ?? 0, chain.network.passphrase).toXdr());
  const isTrue = signatures.every(({ publicKey, signature }) => Keypair.fromPublicKey(publicKey).verify(payload, signature));
  if (signers.length !== 1 || signatures.length === 0 || !isTrue) return false;
  const keys = new Set(signatures.map(({ publicKey }) => publicKey));
  // Its own key may have been revoked. An account that is not there has no weights: nothing can be signed for it until it is.
  const known = await ofOther(readSigners(chain, signer));
  const weights = new Map(known.signers.map(({ address, weight }) => [address, weight]));
  const weight = [...keys].reduce((sum, key) => sum + (weights.get(key) ?? -Infinity), 0);
  // A contract asks an account for its medium weight, whatever a transaction of the account needs.
  return weight >= Math.max(1, known.medium);
}

/** The call that a transaction makes. */
export function invokedBy({ built }: Assembled): xdr.InvokeContractArgs {
  const [operation] = built?.operations ?? [];
  if (operation?.type !== "invokeHostFunction" || operation.func.type !== "hostFunctionTypeInvokeContract") throw new Error("not a call");
  return operation.func.value;
}

/** Puts these entries into the transaction, in place of those that the network made. */
export function setEntries(assembled: Assembled, auth: xdr.SorobanAuthorizationEntry[]): void {
  const { built, simulationData } = assembled;
  const [operation] = built?.operations ?? [];
  if (!built || operation?.type !== "invokeHostFunction") throw new Error("not simulated");
  const call = Operation.invokeHostFunction({ func: operation.func, auth });
  const sorobanData = simulationData.transactionData;
  assembled.built = TransactionBuilder.cloneFrom(built, { sorobanData }).clearOperations().addOperation(call).build();
}

/** Whether what another person signed is this very call. */
export const isFor = (assembled: Assembled, entry: xdr.SorobanAuthorizationEntry) => isSame(entry.rootInvocation, invocation(invokedBy(assembled)));

const entries = ({ built }: Assembled) => (built?.operations[0] as Operation.InvokeHostFunction | undefined)?.auth ?? [];

function invokedCall(chain: Chain, { function: invoked, subInvocations }: xdr.SorobanAuthorizedInvocation): SharedCall {
  if (invoked.type !== "sorobanAuthorizedFunctionTypeContractFn" || subInvocations.length > 0) throw new Problem("linkCall");
  const call = readContractCall(chain, invoked.value);
  if (call.method !== "register_meter" && call.method !== "resolve_dispute") throw new Problem("linkCall");
  return call;
}

/** Of the two whose signatures the call needs, the one who did not sign first. */
async function otherSigner(chain: Chain, admin: string, call: SharedCall, signer: string): Promise<string> {
  const both = call.method === "register_meter" ? [admin, call.args.prosumer] : await partiesOf(chain, call.args.transaction_id);
  const other = both.find((address) => address !== signer);
  if (!other || !both.includes(signer)) throw new Problem("linkCall");
  return other;
}

async function partiesOf(chain: Chain, transactionId: bigint): Promise<string[]> {
  const { provider, consumer } = await chain.transaction(transactionId);
  return [provider, consumer];
}

/** Base64 with letters that need no escapes in a link. */
export const toText = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

export const fromText = (text: string) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

function parse(text: string): xdr.SorobanAuthorizationEntry {
  try {
    return xdr.SorobanAuthorizationEntry.fromXdr(fromText(text));
  } catch {
    throw new Problem("badLink");
  }
}
