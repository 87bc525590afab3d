// Whether the contract's records show what a call does: asked where the network does not remember the call itself.

import { AgreementStatus, TransactionStatus } from "../../client/src/index.js";
import { readAsset } from "../chain/asset.js";
import type { Chain } from "../chain/chain.js";
import { acceptances } from "../chain/holdings.js";
import { SECONDS_PER_LEDGER } from "../chain/ledgers.js";
import { lifeOf } from "../chain/life.js";
import { isNetworkCall, type ContractCall, type Entries, type NetworkCall } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";
import { MAX_PAGE } from "../contract/limits.js";
import { ContractProblem } from "../words/problem.js";
import type { SignedCall } from "./story.js";

/** True if they show it, whoever brought it about. A refund leaves no record. */
export async function isRecorded(chain: Chain, { call, signedAt }: SignedCall): Promise<boolean> {
  if (isNetworkCall(call)) return networkShows(chain, call, signedAt);
  try {
    return await shows(chain, call, signedAt);
  } catch (error) {
    // A record that is not there shows nothing.
    if (error instanceof ContractProblem) return false;
    throw error;
  }
}

async function networkShows(chain: Chain, { method, args }: NetworkCall, signedAt: number): Promise<boolean> {
  switch (method) {
    case "change_trust":
      return (await acceptances(chain, { asset: readAsset(args.asset) }, [args.trustor])).every((acceptance) => acceptance !== "none");
    case "restore_footprint":
      return (await ledgersLeft(chain, args)) >= 0;
    case "extend_footprint_ttl": {
      const { closeTime } = await chain.rpc.latestLedger();
      // Ledgers may close a little faster than is counted here; who prolonged it a day before had no reason to do it again.
      const passed = (closeTime - signedAt + DAY) / SECONDS_PER_LEDGER;
      return (await ledgersLeft(chain, args)) + passed >= args.extend_to;
    }
  }
}

const DAY = 24 * 60 * 60;

/** For how many ledgers those of the contract's entries live that are meant. */
async function ledgersLeft(chain: Chain, { contract, wasm }: Entries): Promise<number> {
  const { latestLedger, parts } = await lifeOf(chain);
  const meant = parts.filter(({ key }) => (key.type === "contractCode" ? wasm : contract) !== null);
  return Math.min(...meant.map(({ ends }) => ends)) - latestLedger;
}

async function shows(chain: Chain, { method, args }: ContractCall, signedAt: number): Promise<boolean> {
  switch (method) {
    case "register_prosumer":
      return (await chain.prosumer(args.prosumer)) !== undefined;
    case "register_meter":
      return (await chain.prosumer(args.prosumer))?.meter === args.meter;
    case "create_agreement": {
      const { consumer, energy_amount_kwh, price_per_kwh, delivery_deadline } = args;
      const page = await chain.agreementPage(args.provider, null, Number(MAX_PAGE));
      return page.some(
        ({ agreement }) =>
          agreement.consumer === consumer &&
          agreement.energy_amount_kwh === energy_amount_kwh &&
          agreement.price_per_kwh === price_per_kwh &&
          agreement.delivery_deadline === delivery_deadline &&
          // An older one is another offer of the same: each ledger closes later than the one before.
          agreement.created_at > BigInt(signedAt),
      );
    }
    case "fund_agreement":
      return (await chain.agreement(args.agreement_id)).state.deposit === args.deposit;
    case "cancel_agreement":
      return (await chain.agreement(args.agreement_id)).agreement.status === AgreementStatus.Cancelled;
    case "claim_refund":
      return false;
    case "deliver_energy": {
      const { meter_reading, energy_delivered_kwh } = args;
      const transactions = await chain.transactions(args.agreement_id);
      return transactions.some((of) => of.meter_reading === meter_reading && of.energy_delivered_kwh === energy_delivered_kwh);
    }
    case "settle_agreement":
      return (await chain.transaction(args.through)).status === TransactionStatus.Settled;
    case "settle_payment":
      return (await chain.transaction(args.transaction_id)).status === TransactionStatus.Settled;
    case "dispute_transaction":
      return (await chain.transaction(args.transaction_id)).status === TransactionStatus.Disputed;
    case "resolve_dispute":
    case "close_dispute": {
      const { agreement } = placeOf(args.transaction_id);
      const deliveries = await chain.deliveries(agreement);
      const ruled = deliveries.find(({ transaction }) => transaction.transaction_id === args.transaction_id);
      return ruled?.state?.ruled ?? false;
    }
  }
}
