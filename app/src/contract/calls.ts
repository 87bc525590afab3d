// What a person can have signed here: calls that act on the contract, typed by its generated client, and the few operations of the network that it needs.

import type { AssembledTransaction, MethodOptions, Result } from "@stellar/stellar-sdk/contract";
import type { Client } from "../../client/src/index.js";
import { ContractProblem, type ErrorCode } from "../words/problem.js";

export type Acting =
  | "register_prosumer"
  | "register_meter"
  | "create_agreement"
  | "fund_agreement"
  | "cancel_agreement"
  | "claim_refund"
  | "deliver_energy"
  | "settle_payment"
  | "settle_agreement"
  | "dispute_transaction"
  | "resolve_dispute"
  | "close_dispute";

/** The arguments of a call; this page gives addresses as text. */
export type Arguments<M extends Acting> = {
  [N in keyof Parameters<Client[M]>[0]]:
    Exclude<Parameters<Client[M]>[0][N], object> | (null extends Parameters<Client[M]>[0][N] ? null : never);
};

/** A call of the contract, by its name and arguments. */
export type ContractCall = { [M in Acting]: { method: M; args: Arguments<M> } }[Acting];

/** Which of a contract's two entries an operation is for: the instance by its address, the code by its hash. */
export type Entries = { contract: string | null; wasm: string | null };

/** An operation of the network itself, by its name there. */
export type NetworkCall =
  /** `extend_to`: for so many ledgers from now. */
  | { method: "extend_footprint_ttl"; args: Entries & { extend_to: number } }
  | { method: "restore_footprint"; args: Entries }
  /** `asset`: its code and issuer, with a colon between. */
  | { method: "change_trust"; args: { trustor: string; asset: string } };

/** Each is the one operation of its transaction. */
export type Call = ContractCall | NetworkCall;

export const isNetworkCall = (call: Call): call is NetworkCall => call.method === "change_trust" || prolongs(call);

/** Whether it pays for the contract's time on the network. */
export const prolongs = (call: Call): call is Exclude<NetworkCall, { method: "change_trust" }> =>
  call.method === "extend_footprint_ttl" || call.method === "restore_footprint";

export type Assembled = AssembledTransaction<Result<unknown>>;

/** Builds and simulates a call. */
export const assemble = (client: Client, { method, args }: ContractCall, options: MethodOptions): Promise<Assembled> =>
  (client[method] as (args: ContractCall["args"], options: MethodOptions) => Promise<Assembled>)(args, options);

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Answers what the simulated call answers, or throws the contract's error. */
export function value<T>(call: AssembledTransaction<Result<T>>): T {
  const { result } = call;
  if (result.isOk()) return result.unwrap();
  const error = result.unwrapErr();
  const [code] = Object.entries(call.options.errorTypes ?? {}).find(([, known]) => known === error) ?? [];
  throw new ContractProblem(Number(code) as ErrorCode);
}
