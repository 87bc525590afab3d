// Whom a call would pay or makes an agreement with, and with whom of them the account has signed nothing before.

import { Deposit, TransactionStatus } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";

export interface Partners {
  partners: string[];
  /** Those of them to whom the account has offered or paid nothing before. */
  strangers: string[];
}

/** So many of an account's agreements are looked at, the newest first. */
const MOST = 500;

/** Whom an account would pay by a call that moves money to these addresses, or to whom it would bind itself; nobody where no account is known. */
export async function partnersIn(chain: Chain, account: string | undefined, call: Call, paid: string[]): Promise<Partners> {
  if (account === undefined) return { partners: [], strangers: [] };
  const named = [...(await boundTo(chain, account, call)), ...paid];
  const partners = [...new Set(named)].filter((address) => address !== account && address !== chain.contractId);
  // Whoever cannot be looked up is not known.
  return { partners, strangers: await strangersIn(chain, account, partners).catch(() => partners) };
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

/** By the records of the ledger. What others have done alone counts for nothing: anybody can make an offer to anybody, and record deliveries for it. */
async function strangersIn(chain: Chain, account: string, partners: string[]): Promise<string[]> {
  const strangers = new Set(partners);
  let left = MOST;
  if (strangers.size === 0) return [];
  for await (const { agreement, state } of chain.entries(account)) {
    const { provider, consumer, agreement_id } = agreement;
    if (provider === account) strangers.delete(consumer);
    else if (strangers.has(provider) && (state.deposit !== Deposit.None || (await hasPaid(chain, agreement_id)))) strangers.delete(provider);
    if (strangers.size === 0 || --left === 0) break;
  }
  return [...strangers];
}

const hasPaid = async (chain: Chain, agreement_id: bigint): Promise<boolean> =>
  (await chain.transactions(agreement_id)).some(({ status, payment_amount }) => status === TransactionStatus.Settled && payment_amount > 0n);
