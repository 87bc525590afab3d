// What a simulated call would do to whoever signs it, against what it may do. A pure function of the call and its simulation: the network's answer is
// read here, and nothing of it is signed. What is signed is built here, from the call.

import { Address, Asset, inspectAuthEntry, nativeToScVal, scValToNative, xdr } from "@stellar/stellar-sdk";
import type { Api } from "@stellar/stellar-sdk/rpc";
import type { ContractCall } from "../contract/calls.js";

const kinds = ["transfer", "mint", "burn", "clawback", "approve"] as const;

/** Something that a token says it would do. */
export interface Move {
  kind: (typeof kinds)[number];
  /** The token's contract. */
  token: string;
  /** The asset's code, or XLM: only where the token's address is that of the asset, which nobody else can have. */
  code?: string;
  from: string;
  to: string;
  amount: bigint;
}

/** What speaks against a signature. */
export type Refusal =
  | { kind: "move"; move: Move }
  /** The signature would also cover this call, or covers it in place of the one that is shown. */
  | { kind: "call"; contractId: string; name: string }
  /** Somebody else would have to agree. */
  | { kind: "signer"; address: string };

export interface Verdict {
  moves: Move[];
  refusals: Refusal[];
  /** The entries that go into the transaction. */
  auth: xdr.SorobanAuthorizationEntry[];
}

export interface Question {
  method: ContractCall["method"];
  /** The call as it is in the transaction. */
  invoked: xdr.InvokeContractArgs;
  simulation: Api.SimulateTransactionSuccessResponse;
  /** Who signs the transaction. */
  source: string;
  tokenId: string;
  passphrase: string;
  /** What another person has signed for this call. */
  signed?: xdr.SorobanAuthorizationEntry;
}

/** From whom a call may move the token, in one transfer: from whoever signs it, or from the contract. */
const payers: Partial<Record<ContractCall["method"], readonly ("source" | "contract")[]>> = {
  fund_agreement: ["source"],
  settle_payment: ["source", "contract"],
  settle_agreement: ["source", "contract"],
  claim_refund: ["contract"],
  deliver_energy: ["contract"],
};

export function review(question: Question): Verdict {
  const { invoked, simulation, source, tokenId, passphrase, signed } = question;
  const moves = simulation.events.flatMap((event) => moveOf(event, passphrase) ?? []);
  const expected = moves.find((move) => isExpected(move, question));
  const refusals = moves.flatMap((move): Refusal[] => (move === expected ? [] : [{ kind: "move", move }]));

  const own = entryOf(invoked, expected?.from === source ? [transferOf(tokenId, expected)] : []);
  const other = signed && inspectAuthEntry(signed).address;
  let asked = false;
  for (const entry of simulation.result?.auth ?? []) {
    const { address, credentialType } = inspectAuthEntry(entry);
    if (credentialType !== "sourceAccount") {
      if (address !== other) refusals.push({ kind: "signer", address: address ?? "" });
      else if (!isSame(entry.rootInvocation, invocation(invoked))) refusals.push(...callsIn(entry.rootInvocation));
    } else if (asked || !isSame(entry.rootInvocation, own.rootInvocation)) {
      refusals.push(...callsBeyond(entry.rootInvocation, asked ? undefined : own.rootInvocation));
    } else {
      asked = true;
    }
  }
  return { moves, refusals, auth: [...(asked ? [own] : []), ...(signed ? [signed] : [])] };
}

function isExpected({ kind, token, from, to, amount }: Move, { method, invoked, source, tokenId }: Question): boolean {
  const contract = Address.fromScAddress(invoked.contractAddress).toString();
  const allowed = payers[method]?.some((payer) => from === (payer === "source" ? source : contract));
  // An asset says that it mints what its issuer pays, and burns what its issuer is paid.
  const pays = kind === "transfer" || kind === "mint" || kind === "burn";
  return !!allowed && pays && token === tokenId && amount > 0n && (method !== "fund_agreement" || to === contract);
}

/** A call as a signature covers it. */
export const invocation = (
  invoked: xdr.InvokeContractArgs,
  subInvocations: xdr.SorobanAuthorizedInvocation[] = [],
): xdr.SorobanAuthorizedInvocation =>
  new xdr.SorobanAuthorizedInvocation({
    function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(invoked),
    subInvocations,
  });

const entryOf = (invoked: xdr.InvokeContractArgs, subInvocations: xdr.SorobanAuthorizedInvocation[]) =>
  new xdr.SorobanAuthorizationEntry({
    credentials: xdr.SorobanCredentials.sorobanCredentialsSourceAccount(),
    rootInvocation: invocation(invoked, subInvocations),
  });

const transferOf = (tokenId: string, { from, to, amount }: Move) =>
  invocation(
    new xdr.InvokeContractArgs({
      contractAddress: new Address(tokenId).toScAddress(),
      functionName: "transfer",
      args: [new Address(from).toScVal(), new Address(to).toScVal(), nativeToScVal(amount, { type: "i128" })],
    }),
  );

interface Encoded {
  toXdr(format: "base64"): string;
}

export const isSame = (one: Encoded, other: Encoded): boolean => one.toXdr("base64") === other.toXdr("base64");

/** All that a tree asks for and the other does not, by name. */
function callsBeyond(tree: xdr.SorobanAuthorizedInvocation, own: xdr.SorobanAuthorizedInvocation | undefined): Refusal[] {
  if (!own || !isSame(tree.function, own.function)) return callsIn(tree);
  const expected = [...own.subInvocations];
  return tree.subInvocations.flatMap((sub) => callsBeyond(sub, expected.shift()));
}

const callsIn = ({ function: called, subInvocations }: xdr.SorobanAuthorizedInvocation): Refusal[] => [
  called.type === "sorobanAuthorizedFunctionTypeContractFn"
    ? { kind: "call", contractId: Address.fromScAddress(called.value.contractAddress).toString(), name: called.value.functionName.toString() }
    : { kind: "call", contractId: "", name: "create_contract" },
  ...subInvocations.flatMap(callsIn),
];

function moveOf({ inSuccessfulContractCall, event }: xdr.DiagnosticEvent, passphrase: string): Move | undefined {
  if (!inSuccessfulContractCall || event.type.name !== "contract" || !event.contractId) return undefined;
  const { topics, data } = event.body.value;
  const [name, ...rest] = topics;
  const kind = kinds.find((known) => name?.type === "scvSymbol" && name.value === known);
  if (!kind) return undefined;
  const token = Address.contract(event.contractId.value).toString();
  const parties = rest.flatMap((topic) => (topic.type === "scvAddress" ? [Address.fromScVal(topic).toString()] : []));
  const asset = assetOf(rest.at(-1), token, passphrase);
  const issuer = asset?.isNative() ? "" : (asset?.getIssuer() ?? "");
  // Older networks name the admin first where an asset is minted or clawed back.
  const [from, to] =
    kind === "mint"
      ? [issuer, parties.at(-1)]
      : kind === "burn" || kind === "clawback"
        ? [parties.at(-1), issuer]
        : [parties[0], parties[1]];
  const code = asset && (asset.isNative() ? "XLM" : asset.getCode());
  return { kind, token, code, from: from ?? "", to: to ?? "", amount: amountOf(scValToNative(data)) };
}

/** The asset that an event names, if its contract is the token. */
function assetOf(topic: xdr.ScVal | undefined, token: string, passphrase: string): Asset | undefined {
  if (topic?.type !== "scvString") return undefined;
  const [code = "", issuer] = topic.value.split(":");
  try {
    const asset = code === "native" ? Asset.native() : new Asset(code, issuer);
    return asset.contractId(passphrase) === token ? asset : undefined;
  } catch {
    return undefined;
  }
}

/** An amount stands alone, in a map if it was sent to a muxed address, or before the ledger in which an approval ends. Of anything else 0 is said. */
function amountOf(data: unknown): bigint {
  if (typeof data === "bigint") return data;
  if (Array.isArray(data)) return amountOf(data[0]);
  return typeof data === "object" && data && "amount" in data ? amountOf(data.amount) : 0n;
}
