// What calls of this browser were charged, so that the books can name hash and fee of a payment. The ledger's records have neither.

import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";
import type { Row } from "./books.js";
import { recall, remember } from "./memory.js";

export interface Payment {
  hash: string;
  /** In stroops. */
  fee: bigint;
}

/** Amounts and ids as text, since JSON has no whole numbers of their size. */
interface Kept {
  contractId: string;
  agreement: string;
  /** The last transaction that the call settled. */
  through: string;
  /** The time of its ledger, in Unix seconds: the same as in the records that it settled. */
  at: number;
  hash: string;
  fee: string;
}

const KEY = "receipts";
/** Some years of monthly bills with several neighbours. */
const MOST = 1000;

const all = () => recall<Kept[]>(KEY) ?? [];

/** Keeps what a call that settles deliveries was charged. */
export function keepReceipt(contractId: string, call: Call, { hash, fee, at }: { hash: string; fee: bigint; at: number }): void {
  const through = call.method === "settle_agreement" ? call.args.through : call.method === "settle_payment" ? call.args.transaction_id : undefined;
  if (through === undefined) return;
  const kept: Kept = { contractId, agreement: String(placeOf(through).agreement), through: String(through), at, hash, fee: String(fee) };
  remember(KEY, [kept, ...all().filter((one) => one.hash !== hash)].slice(0, MOST));
}

/** The call that settled a delivery, if this browser sent it. */
export function paymentOf(contractId: string): (row: Row) => Payment | undefined {
  const known = all().filter((one) => one.contractId === contractId);
  return ({ transaction: { agreement_id, transaction_id, settled_at } }) => {
    const found = known.find(
      ({ agreement, through, at }) => agreement === String(agreement_id) && BigInt(through) >= transaction_id && BigInt(at) === settled_at,
    );
    return found && { hash: found.hash, fee: BigInt(found.fee) };
  };
}
