// A fee that nobody shall pay by accident, or that an account cannot pay beside what it pays.

import { MOST_FEE } from "../chain/simulation.js";
import { prolongs, type NetworkCall } from "../contract/calls.js";
import { Notice } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { XLM } from "../words/format.js";
import { FEE_LIMIT } from "./price.js";
import type { Prepared } from "./submit.js";

export function TooDear({ call, price: { total, restores }, mayBeSigned, lacks }: Prepared) {
  const { words, format } = useSession();
  if (lacks) return <Notice kind="problem">{words.fees.lacks(format.amount(lacks.spendable, XLM), format.amount(lacks.pays, XLM), format.fee(total))}</Notice>;
  if (mayBeSigned || total <= FEE_LIMIT) return null;
  const amount = format.fee(total);
  if (prolongs(call) && total > MOST_FEE) return <ByCommand call={call} amount={amount} />;
  return <Notice kind="problem">{restores ? words.fees.expired(amount) : words.fees.tooHigh(amount, format.amount(FEE_LIMIT, XLM))}</Notice>;
}

/** What the operator can do where no transaction can name the fee of it. */
function ByCommand({ call, amount }: { call: Exclude<NetworkCall, { method: "change_trust" }>; amount: string }) {
  const { words } = useSession();
  const { contract, wasm } = call.args;
  const verb = call.method === "restore_footprint" ? "restore" : `extend --ledgers-to-extend ${call.args.extend_to}`;
  const command = `stellar contract ${verb} --network NETWORK --source-account KEY`;
  return (
    <Notice kind="warning">
      <p>{words.fees.byCommand(amount)}</p>
      {wasm && <code class="address">{`${command} --wasm-hash ${wasm}`}</code>}
      {contract && <code class="address">{`${command} --id ${contract}`}</code>}
    </Notice>
  );
}
