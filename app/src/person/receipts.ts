// What calls of this browser were charged, so that the books can name hash and fee of a payment. The ledger's records have neither.

import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";
import type { Row } from "./books.js";
import { recall, remember } from "./memory.js";
import { isDigits, isShape, isText, isWhole, those } from "./shapes.js";

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

const isKept = isShape<Kept>({ contractId: isText, agreement: isText, through: isDigits, at: isWhole, hash: isText, fee: isDigits });

const all = () => those(recall(KEY), isKept);

/** Keeps what a call that settles deliveries was charged. */
export function keepReceipt(contractId: string, call: Call, { hash, fee, at }: { hash: string; fee: bigint; at: number | string }): void {
  const through = call.method === "settle_agreement" ? call.args.through : call.method === "settle_payment" ? call.args.transaction_id : undefined;
  if (through === undefined) return;
  // The network tells its times as texts, whatever the SDK's types say.
  const time = Number(at);
  const kept: Kept = { contractId, agreement: String(placeOf(through).agreement), through: String(through), at: time, hash, fee: String(fee) };
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
