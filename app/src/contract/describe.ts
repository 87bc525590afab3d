// A call in words.

import { Deposit } from "../../client/src/index.js";
import { SECONDS_PER_LEDGER } from "../chain/ledgers.js";
import type { Words } from "../words/en.js";
import { groupsOfFour, type Format, type Unit } from "../words/format.js";
import type { Call, Entries } from "./calls.js";
import { TRANSACTION_STEP } from "./limits.js";

/** Where a transaction belongs: its id tells the agreement, and its place there. */
export const placeOf = (transactionId: bigint) => ({
  agreement: transactionId % TRANSACTION_STEP,
  delivery: transactionId / TRANSACTION_STEP + 1n,
});

/** The agreement that a call is about, if there is one already. */
export function agreementOf({ args }: Call): bigint | undefined {
  const { agreement_id, through, transaction_id = through } = args as { agreement_id?: bigint; through?: bigint; transaction_id?: bigint };
  return agreement_id ?? (transaction_id === undefined ? undefined : placeOf(transaction_id).agreement);
}

export interface Describer {
  words: Words;
  format: Format;
  token: Unit;
  /** Who reads it. */
  me?: string | undefined;
  config?: { admin: string };
  /** The dative is what “from” and “of” ask for, in languages that have one. */
  nameOf: (address: string, as?: "dative") => string;
}

export function describe({ method, args }: Call, { words, format, token, me, config, nameOf }: Describer): string {
  const say = words.calls;
  const ofTransaction = (id: bigint) => {
    const { agreement, delivery } = placeOf(id);
    return { agreement: String(agreement), delivery: String(delivery) };
  };
  switch (method) {
    case "register_prosumer":
      return say.register_prosumer();
    case "register_meter": {
      const prosumer = args.prosumer === me ? undefined : nameOf(args.prosumer, "dative");
      if (!args.meter) return say.retire_meter({ prosumer });
      const [reading, power] = [format.kwh(args.meter_reading), format.kw(args.max_power_kw)];
      return say.register_meter({ prosumer, meter: nameOf(args.meter), reading, power });
    }
    case "create_agreement":
      return say.create_agreement({
        consumer: nameOf(args.consumer),
        kwh: format.kwh(args.energy_amount_kwh),
        price: format.amount(args.price_per_kwh, token),
        total: format.amount(args.energy_amount_kwh * args.price_per_kwh, token),
        deadline: format.dateTime(args.delivery_deadline),
      });
    case "fund_agreement": {
      const kind = args.deposit === Deposit.Metered ? "fund_metered" : "fund_reviewed";
      return say[kind]({ agreement: String(args.agreement_id) });
    }
    case "cancel_agreement":
    case "claim_refund":
      return say[method]({ agreement: String(args.agreement_id) });
    case "deliver_energy":
      return say.deliver_energy({
        agreement: String(args.agreement_id),
        kwh: format.kwh(args.energy_delivered_kwh),
        reading: format.kwh(args.meter_reading),
      });
    case "settle_agreement":
      return say.settle_agreement(ofTransaction(args.through));
    case "settle_payment":
    case "dispute_transaction":
    case "close_dispute":
      return say[method](ofTransaction(args.transaction_id));
    case "resolve_dispute": {
      // The admin rules; a party gives in, or agrees with the other.
      const kind = args.resolver === config?.admin ? "rule" : "agree";
      return say[kind]({ ...ofTransaction(args.transaction_id), kwh: format.kwh(args.energy_accepted_kwh) });
    }
    case "extend_footprint_ttl":
      return say.extend_footprint_ttl({ entries: say.entries[entriesIn(args)], days: format.days(args.extend_to * SECONDS_PER_LEDGER) });
    case "restore_footprint":
      return say.restore_footprint({ entries: say.entries[entriesIn(args)] });
    case "change_trust": {
      const [code = "", issuer = ""] = args.asset.split(":");
      return say.change_trust({ code, issuer: groupsOfFour(issuer).join(" ") });
    }
  }
}

const entriesIn = ({ contract, wasm }: Entries) => (contract && wasm ? "both" : contract ? "contract" : "code");
