// Whom a call would pay or makes an agreement with, and whom of them the page does not know from before.

import { Deposit, TransactionStatus } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import { knownEntries, knownTerms, knownTransactions } from "../chain/known.js";
import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";
import { keepMet, metBefore } from "../person/met.js";

/** Whom an account would pay by a call that moves money to these addresses, or to whom it would bind itself. An agreement that is shown was read already. */
export async function partnersOf(chain: Chain, account: string, call: Call, paid: string[]): Promise<string[]> {
  const partners = [...(await boundTo(chain, account, call)), ...paid];
  return [...new Set(partners)].filter((address) => address !== account && address !== chain.contractId);
}

async function boundTo(chain: Chain, account: string, { method, args }: Call): Promise<string[]> {
  switch (method) {
    case "create_agreement":
      return [args.consumer];
    case "fund_agreement":
      return [(await chain.terms(args.agreement_id)).provider];
    case "resolve_dispute": {
      const { provider, consumer } = await chain.terms(placeOf(args.transaction_id).agreement);
      // The admin, who rules, is bound to nobody.
      return account === provider || account === consumer ? [provider, consumer] : [];
    }
    default:
      return [];
  }
}

/**
 * Those of them with whom an account has not had anything to do, as far as this browser kept it or the page has read it so far: it asks for nothing. What
 * others have done alone counts for nothing, since anybody can make an offer to anybody and record deliveries for it.
 */
export async function strangersIn(chain: Chain, account: string, partners: string[]): Promise<string[]> {
  const known = metBefore();
  const [entries, terms, transactions] = await Promise.all([knownEntries(chain), knownTerms(chain), knownTransactions(chain)]);
  for (const { provider, consumer } of [...terms, ...entries.map(({ agreement }) => agreement)]) if (provider === account) known.add(consumer);
  for (const { agreement, state } of entries)
    if (agreement.consumer === account && state.deposit !== Deposit.None) known.add(agreement.provider);
  for (const { provider, consumer, status, payment_amount } of transactions)
    if (consumer === account && status === TransactionStatus.Settled && payment_amount > 0n) known.add(provider);
  return partners.filter((address) => !known.has(address));
}

/** Both, of whoever makes the call; nobody where that is not known. */
export async function partnersIn(chain: Chain, account: string | undefined, call: Call, paid: string[]): Promise<{ partners: string[]; strangers: string[] }> {
  if (account === undefined) return { partners: [], strangers: [] };
  const partners = await partnersOf(chain, account, call, paid);
  return { partners, strangers: await strangersIn(chain, account, partners) };
}

/** Remembers whom an account has paid, or is bound to, by a call that went through. */
export const keepPartners = async (chain: Chain, account: string, call: Call, paid: string[]): Promise<void> =>
  keepMet(await partnersOf(chain, account, call, paid));
