// The calls that act on the contract, typed by its generated client.

import type { xdr } from "@stellar/stellar-sdk";
import type { AssembledTransaction, MethodOptions, Result } from "@stellar/stellar-sdk/contract";
import type { Client } from "../../client/src/index.js";
import { ContractProblem, type ErrorCode } from "../words/problem.js";

type Acting =
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

/** A call by its name and arguments. */
export type Call = { [M in Acting]: { method: M; args: Arguments<M> } }[Acting];

export type Assembled = AssembledTransaction<Result<unknown>>;

/** Builds and simulates a call. */
export const assemble = (client: Client, { method, args }: Call, options: MethodOptions): Promise<Assembled> =>
  (client[method] as (args: Call["args"], options: MethodOptions) => Promise<Assembled>)(args, options);

/** Reads a call from what was signed. */
export function readCall({ spec }: Client, invoked: xdr.HostFunction): Call {
  if (invoked.type !== "hostFunctionTypeInvokeContract") throw new Error("not a call of a contract");
  const { functionName, args } = invoked.value;
  const method = functionName.toString();
  const { inputs } = spec.getFunc(method);
  const values = inputs.map(({ name, type }, place) => {
    const arg = args[place];
    if (!arg) throw new Error(`${method} without ${name.toString()}`);
    return [name.toString(), spec.scValToNative<unknown>(arg, type)] as const;
  });
  // The contract's own description says which arguments it takes, and of which types.
  return { method, args: Object.fromEntries(values) } as Call;
}

/** Answers what the simulated call answers, or throws the contract's error. */
export function value<T>(call: AssembledTransaction<Result<T>>): T {
  const { result } = call;
  if (result.isOk()) return result.unwrap();
  const error = result.unwrapErr();
  const [code] = Object.entries(call.options.errorTypes ?? {}).find(([, known]) => known === error) ?? [];
  throw new ContractProblem(Number(code) as ErrorCode);
}
