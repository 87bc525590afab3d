// Reads what was signed: from the bytes of a transaction, or of an authorization entry, the call that it makes.

import { Address, Contract, StrKey, type Transaction, type xdr } from "@stellar/stellar-sdk";
import type { SigningChain } from "../chain/sdk.js";
import { Problem } from "../words/problem.js";
import { hex, type Acting, type Call, type ContractCall, type Entries } from "./calls.js";

/** Reads a call from the transaction that makes it. It throws if there is anything in it besides, or a call that this page does not know. */
export function readCall(chain: Pick<SigningChain, "client" | "contractId">, transaction: Transaction): Call {
  const { source, operations } = transaction;
  const envelope = transaction.toEnvelope();
  if (envelope.type !== "envelopeTypeTx") throw new Problem("badLink");
  const { cond, memo, ext } = envelope.value.tx;
  const [operation] = operations;
  if (!operation || operations.length > 1) throw new Problem("linkOperations");
  if (!StrKey.isValidEd25519PublicKey(source) || (operation.source && operation.source !== source)) throw new Problem("linkSource");
  if (cond.type !== "precondTime" || cond.timeBounds.minTime !== 0n || cond.timeBounds.maxTime === 0n || memo.type !== "memoNone")
    throw new Problem("linkConditions");
  const data = ext.type === "sorobanData" ? ext.sorobanData : undefined;
  switch (operation.type) {
    case "invokeHostFunction":
      if (operation.func.type !== "hostFunctionTypeInvokeContract") throw new Problem("linkCall");
      return readContractCall(chain, operation.func.value);
    case "extendFootprintTtl": {
      const { readOnly, readWrite } = footprintOf(data);
      if (readWrite.length > 0) throw new Problem("linkCall");
      return { method: "extend_footprint_ttl", args: { ...readEntries(chain, readOnly), extend_to: operation.extendTo } };
    }
    case "restoreFootprint": {
      const { readOnly, readWrite } = footprintOf(data);
      if (readOnly.length > 0) throw new Problem("linkCall");
      return { method: "restore_footprint", args: readEntries(chain, readWrite) };
    }
    case "changeTrust":
      if (operation.limit !== MOST_TRUST || !("issuer" in operation.line)) throw new Problem("linkCall");
      return { method: "change_trust", args: { trustor: source, asset: operation.line.toString() } };
    default:
      throw new Problem("linkCall");
  }
}

/** A trustline without a limit of its own has this one. */
const MOST_TRUST = "922337203685.4775807";

/** All calls that act, which the compiler keeps complete. */
const acting: Record<Acting, true> = {
  register_prosumer: true,
  register_meter: true,
  create_agreement: true,
  fund_agreement: true,
  cancel_agreement: true,
  claim_refund: true,
  deliver_energy: true,
  settle_payment: true,
  settle_agreement: true,
  dispute_transaction: true,
  resolve_dispute: true,
  close_dispute: true,
};

/** Reads a call of the contract. It throws unless there is one value for each argument, of the type that the contract's own description names. */
export function readContractCall({ client: { spec }, contractId }: Pick<SigningChain, "client" | "contractId">, invoked: xdr.InvokeContractArgs): ContractCall {
  const { contractAddress, functionName, args } = invoked;
  const method = functionName.toString();
  if (Address.fromScAddress(contractAddress).toString() !== contractId || !Object.hasOwn(acting, method)) throw new Problem("linkCall");
  const { inputs } = spec.getFunc(method);
  if (inputs.length !== args.length) throw new Problem("linkCall");
  const values = inputs.map(({ name, type }, place) => [name.toString(), readArgument(spec, args[place] as xdr.ScVal, type)] as const);
  return { method, args: Object.fromEntries(values) } as ContractCall;
}

/** The description reads values of most types as any other, but writes only those of the type itself: what it writes otherwise than it was is of another one. */
function readArgument(spec: SigningChain["client"]["spec"], arg: xdr.ScVal, type: xdr.ScSpecTypeDef): unknown {
  try {
    const value = spec.scValToNative<unknown>(arg, type);
    if (spec.nativeToScVal(value, type).toXdr("base64") === arg.toXdr("base64")) return value;
  } catch {
    // It cannot be read, or not be written, as this type.
  }
  throw new Problem("linkCall");
}

function footprintOf(data: xdr.SorobanTransactionData | undefined): xdr.LedgerFootprint {
  if (!data) throw new Problem("linkCall");
  return data.resources.footprint;
}

/** The entries that an operation names, each at most once: the contract's own instance, and a code. */
function readEntries({ contractId }: Pick<SigningChain, "contractId">, keys: xdr.LedgerKey[]): Entries {
  const instance = new Contract(contractId).getFootprint().toXdr("base64");
  const entries: Entries = { contract: null, wasm: null };
  for (const key of keys) {
    if (key.toXdr("base64") === instance && !entries.contract) entries.contract = contractId;
    else if (key.type === "contractCode" && !entries.wasm) entries.wasm = hex(key.contractCode.hash.value);
    else throw new Problem("linkCall");
  }
  return entries;
}
