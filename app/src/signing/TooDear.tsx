// A fee that nobody shall pay by accident.

import { Notice } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { XLM } from "../words/format.js";
import { FEE_LIMIT, type Price } from "./price.js";

export function TooDear({ price: { total, restores } }: { price: Price }) {
  const { words, format } = useSession();
  if (total <= FEE_LIMIT) return null;
  const amount = format.amount(total, XLM);
  return <Notice kind="problem">{restores ? words.fees.expired(amount) : words.fees.tooHigh(amount, format.amount(FEE_LIMIT, XLM))}</Notice>;
}
