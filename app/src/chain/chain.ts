// The contract on its network: what everyone can read, without a wallet.

import { rpc } from "@stellar/stellar-sdk";
import {
  Client,
  TransactionStatus,
  type AgreementEntry,
  type Config,
  type EnergyAgreement,
  type EnergyTransaction,
  type Prosumer,
} from "../../client/src/index.js";
import { value } from "../contract/calls.js";
import { MAX_PAGE } from "../contract/limits.js";
import type { Delivery } from "../contract/rules.js";
import type { Place } from "../person/place.js";
import { ContractProblem } from "../words/problem.js";
import type { Network } from "./networks.js";

const NOT_REGISTERED = 5;

export class Chain {
  readonly network: Network;
  readonly contractId: string;
  readonly server: rpc.Server;
  /** The generated client builds calls, for whoever is given as `publicKey`. */
  readonly client: Client;

  constructor({ network, contractId }: Place) {
    this.network = network;
    this.contractId = contractId;
    const allowHttp = network.rpcUrl.startsWith("http:");
    this.server = new rpc.Server(network.rpcUrl, { allowHttp });
    const { rpcUrl, passphrase: networkPassphrase } = network;
    this.client = new Client({ contractId, rpcUrl, networkPassphrase, allowHttp, server: this.server });
  }

  async config(): Promise<Config> {
    return value(await this.client.get_config());
  }

  /** A prosumer's record, or undefined if the address is not registered. */
  async prosumer(prosumer: string): Promise<Prosumer | undefined> {
    try {
      return value(await this.client.get_prosumer({ prosumer }));
    } catch (error) {
      if (error instanceof ContractProblem && error.code === NOT_REGISTERED) return undefined;
      throw error;
    }
  }

  /** An agreement, and what has come of it so far. */
  async agreement(agreement_id: bigint): Promise<AgreementEntry> {
    const [agreement, state] = await Promise.all([
      this.client.get_agreement({ agreement_id }),
      this.client.get_agreement_state({ agreement_id }),
    ]);
    return { agreement: value(agreement), state: value(state) };
  }

  /** A prosumer's agreements before one of them, or its newest, the newest first. */
  async agreementPage(prosumer: string, before: bigint | null, limit: number): Promise<AgreementEntry[]> {
    return value(await this.client.get_agreement_page({ prosumer, before, limit }));
  }

  /** All of a prosumer's agreements, the newest first. */
  async *agreements(prosumer: string): AsyncGenerator<EnergyAgreement> {
    const limit = Number(MAX_PAGE);
    let before: bigint | null = null;
    for (;;) {
      const page = await this.agreementPage(prosumer, before, limit);
      yield* page.map(({ agreement }) => agreement);
      const last = page[limit - 1];
      if (!last) return;
      before = last.agreement.agreement_id;
    }
  }

  /** All transactions of an agreement, the oldest first. */
  async transactions(agreement_id: bigint): Promise<EnergyTransaction[]> {
    return value(await this.client.get_agreement_transactions({ agreement_id }));
  }

  async transaction(transaction_id: bigint): Promise<EnergyTransaction> {
    return value(await this.client.get_transaction({ transaction_id }));
  }

  /** An agreement's deliveries, the oldest first. */
  async deliveries(agreement_id: bigint): Promise<Delivery[]> {
    const [transactions, answer] = await Promise.all([
      this.transactions(agreement_id),
      this.client.get_transaction_states({ agreement_id }),
    ]);
    const states = value(answer);
    // A delivery that was recorded between the two answers is left out until the next reading: without its state it is not known what can be done about it.
    return transactions
      .slice(0, states.length)
      .map((transaction, place) =>
        transaction.status === TransactionStatus.Settled ? { transaction } : { transaction, state: states[place] },
      );
  }

  /** By how many seconds the ledger's clock is ahead of this machine's. */
  async clockSkew(): Promise<number> {
    const { closeTime } = await this.server.getLatestLedger();
    return Number(closeTime) - Date.now() / 1000;
  }
}
