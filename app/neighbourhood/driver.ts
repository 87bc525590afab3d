// Plays the neighbourhood, hour by hour: meters count what homes feed in, sellers make offers, and those whom nobody plays answer and pay.
// In the history it delivers as well, as the gateway does afterwards: without waiting for a gateway that looks at the clock now and then.

import { Keypair } from "@stellar/stellar-sdk";
import type { AssembledTransaction, Result } from "@stellar/stellar-sdk/contract";
import { AgreementStatus, Deposit, TransactionStatus, type AgreementEntry, type Client, type Prosumer } from "../client/src/index.js";
import { Chain } from "../src/chain/chain.js";
import { findNetwork } from "../src/chain/networks.js";
import { MAX_PAGE, MAX_TRANSACTIONS } from "../src/contract/limits.js";
import { remainingKwh, settlement, surplus } from "../src/contract/rules.js";
import { exportWh, hourAt, type Hour } from "./energy.js";
import { openContract, send, type LocalNetwork } from "./network.js";
import { consumersOf, COOP, households, played, tradeOf, trades, type Household, type Pair, type Trade } from "./people.js";
import { extendLife } from "./setup.js";
import { keysOf, type State } from "./state.js";

const HOUR = 3600;
const DAY = 24 * HOUR;

// When what is done on each day, in hours of local time.
const OFFERS = 7;
const ANSWERS = 8;
const EVENING = 19;
const MONEY = 20;

const SUNDAY = 3;
/** 0.01 EUR, in its smallest unit. */
const CENT = 100_000n;
/** Nobody pays more for a kWh. */
const DEAREST = 30n * CENT;
/** Until it is paid, a seller gives no more credit. */
const MOST_UNPAID_AGREEMENTS = 2;
const TERM = 60 * DAY;

/** From so many days before the history ends on, nobody pays the bills of those who are played; and nobody acts for them at all. */
const BILLS_WAIT = 8;
const ALL_WAITS = 1;

interface Agreement extends AgreementEntry, Pair {
  trade: Trade | undefined;
}

export class Driver {
  private readonly chain: Chain;
  private readonly names: Map<string, string>;
  private agreements: Agreement[] = [];
  private readonly sellers = new Map<string, Prosumer>();

  constructor(
    private readonly network: LocalNetwork,
    private readonly state: State,
    /** Told of what was tried and refused. */
    private readonly onRefusal: (what: string) => void,
  ) {
    const place = findNetwork("local", network.rpcUrl);
    if (!place) throw new Error(`${network.rpcUrl} is not of this machine`);
    this.chain = new Chain({ network: place, contractId: state.contractId }, { recall: () => undefined, remember: () => undefined });
    this.names = new Map(Object.keys(state.keys).map((name) => [this.address(name), name]));
  }

  /** Everything is read anew: others act on the ledger, too. */
  private get ledger(): Chain {
    this.chain.cache.forgetAll();
    return this.chain;
  }

  get inHistory(): boolean {
    return this.state.time < this.state.historyEnd;
  }

  /** Reads the ledger. What meters count goes on from there if this was killed before it was saved. */
  async open(): Promise<void> {
    for (const { name } of households) {
      const { meter_reading } = await this.readSeller(name);
      this.state.meterWh[name] = Math.max(this.meterWh(name), Number(meter_reading) * 1000);
    }
    await this.readAgreements();
  }

  /** Plays the hour that begins when the last one ended. The ledger's clock stands at its end. */
  async playHour(): Promise<void> {
    const { state } = this;
    const [hour, isHistory] = [hourAt(state.time), this.inHistory];
    state.time += HOUR;
    if ([OFFERS, ANSWERS, ANSWERS + 1, MONEY].includes(hour.hour)) await this.readAgreements();
    this.count(hour);
    if (isHistory) this.share(hour);
    if (hour.hour === OFFERS) await this.makeOffers();
    if (hour.hour === ANSWERS) await this.answerOffers();
    if (isHistory) await this.deliver(hour);
    if (hour.hour === MONEY) await this.moveMoney(hour);
    if (hour.hour === MONEY && this.inHistory) await this.tellStory();
  }

  /** Meters count on while nothing else is done. */
  countUntil(time: number): void {
    for (; this.state.time + HOUR <= time; this.state.time += HOUR) this.count(hourAt(this.state.time));
  }

  private daysLeft(): number {
    return Math.floor((this.state.historyEnd - this.state.time) / DAY);
  }

  /** Whether nobody else acts for this person now. */
  private actsAlone(name: string, waits = ALL_WAITS): boolean {
    return !played.includes(name) || (this.inHistory && this.daysLeft() >= waits);
  }

  /** Meters count what homes do not need. */
  private count(hour: Hour): void {
    for (const household of households) this.state.meterWh[household.name] = this.meterWh(household.name) + exportWh(household, hour);
  }

  /** Whoever has an agreement gets its share of what was exported. */
  private share(hour: Hour): void {
    for (const household of households)
      for (const { share, ...pair } of consumersOf(household.name))
        if (this.agreements.some((agreement) => pairOf(agreement) === pairOf(pair) && takesDeliveries(agreement)))
          this.due(pair).wh += Math.floor((exportWh(household, hour) * share) / 100);
  }

  private due(pair: Pair) {
    return (this.state.pairs[pairOf(pair)] ??= { wh: 0, reading: 0 });
  }

  private async deliver({ hour }: Hour): Promise<void> {
    // The oldest agreement of a pair is filled first.
    for (const agreement of [...this.agreements].reverse()) {
      const isTime = hour === EVENING || householdOf(agreement.seller).every === "hour";
      if (isTime && takesDeliveries(agreement)) await this.deliverTo(agreement);
    }
  }

  private async deliverTo(agreement: Agreement): Promise<void> {
    const due = this.due(agreement);
    const seller = this.sellers.get(agreement.seller) ?? (await this.readSeller(agreement.seller));
    const reading = Math.floor(this.meterWh(agreement.seller) / 1000);
    const unsold = BigInt(reading) - seller.meter_start - seller.energy_sold_kwh;
    const kwh = smallest(BigInt(Math.floor(due.wh / 1000)), unsold, remainingKwh(agreement));
    if (kwh <= 0n || reading <= due.reading) return;
    const { agreement_id, provider } = agreement.agreement;
    const what = `${agreement.seller}’s meter cannot deliver to ${agreement.buyer}`;
    const delivered = await this.try(what, this.meter(agreement.seller), (client) =>
      client.deliver_energy({ agreement_id, energy_delivered_kwh: kwh, meter_reading: BigInt(reading), provider }),
    );
    if (!delivered) return;
    due.wh -= Number(kwh) * 1000;
    due.reading = reading;
    seller.energy_sold_kwh += kwh;
    agreement.state.energy_delivered_kwh += kwh;
    if (remainingKwh(agreement) === 0n) agreement.agreement.status = AgreementStatus.Delivered;
  }

  /** Where a trade has no open agreement, and not too much is unpaid. */
  private async makeOffers(): Promise<void> {
    for (const trade of trades) {
      const between = this.agreements.filter((agreement) => pairOf(agreement) === pairOf(trade));
      const unpaid = between.filter(({ state }) => state.deposit === Deposit.None && state.pending_amount > state.disputed_amount);
      const begins = trade.lastDays === undefined || this.daysLeft() < trade.lastDays;
      if (!begins || !this.actsAlone(trade.seller) || between.some(isOpen) || unpaid.length >= MOST_UNPAID_AGREEMENTS) continue;
      await this.offer(trade, trade.kwh, trade.price, TERM);
    }
  }

  /** Has somebody make an offer, in cents and for so many seconds. */
  offer({ seller, buyer }: Pair, kwh: bigint, cents: bigint, term: number) {
    return this.try(`${seller} cannot make ${buyer} an offer`, this.keypair(seller), (client) =>
      client.create_agreement({
        provider: this.address(seller),
        consumer: this.address(buyer),
        energy_amount_kwh: kwh,
        price_per_kwh: cents * CENT,
        delivery_deadline: BigInt(this.state.time + term),
      }),
    );
  }

  /** With a deposit, unless the seller lets the buyer pay a bill; or with a no. */
  private async answerOffers(): Promise<void> {
    for (const agreement of this.agreements) {
      const { buyer, state, trade } = agreement;
      const { agreement_id, consumer, price_per_kwh } = agreement.agreement;
      const isOffer = isOpen(agreement) && state.deposit === Deposit.None && state.transactions === 0n && trade?.pays !== "bill";
      if (!isOffer || !this.actsAlone(buyer)) continue;
      if (price_per_kwh > DEAREST) {
        await this.try(`${buyer} cannot decline`, this.keypair(buyer), (client) =>
          client.cancel_agreement({ agreement_id, canceller: consumer }),
        );
      } else {
        const deposit = trade?.pays === "reviewed" ? Deposit.Reviewed : Deposit.Metered;
        await this.try(`${buyer} cannot pay a deposit`, this.keypair(buyer), (client) =>
          client.fund_agreement({ agreement_id, consumer, deposit }),
        );
      }
    }
  }

  /** Sellers draw what was looked at for 24 hours, buyers pay their bills on Sundays and fetch what is left of deposits. */
  private async moveMoney({ day }: Hour): Promise<void> {
    for (const agreement of this.agreements) {
      const { seller, buyer, state } = agreement;
      const { agreement_id } = agreement.agreement;
      if (state.pending_amount > 0n && state.deposit !== Deposit.None && this.actsAlone(seller))
        await this.settle(agreement, seller, "provider");
      if (state.pending_amount > 0n && state.deposit === Deposit.None && day % 7 === SUNDAY && this.actsAlone(buyer, BILLS_WAIT))
        await this.settle(agreement, buyer, "consumer");
      if (surplus(agreement) > 0n && this.actsAlone(buyer))
        await this.try(`${buyer} cannot fetch a refund`, this.keypair(buyer), (client) => client.claim_refund({ agreement_id }));
    }
    if (day % 30 === 0) await extendLife(this.network, this.keypair(COOP), this.state);
  }

  private async settle(agreement: Agreement, who: string, role: "provider" | "consumer"): Promise<void> {
    const { agreement_id } = agreement.agreement;
    const due = settlement(agreement, await this.ledger.deliveries(agreement_id), role, BigInt(this.state.time));
    if (!due) return;
    await this.try(`${who} cannot settle`, this.keypair(who), (client) =>
      client.settle_agreement({ agreement_id, through: due.through, settler: this.address(who) }),
    );
  }

  /** What happens once, on evenings of the history. */
  private async tellStory(): Promise<void> {
    switch (this.daysLeft()) {
      case 20:
        // Too dear: it is declined.
        await this.offer({ seller: "Carol", buyer: "Dave" }, 50n, 39n, TERM);
        break;
      case 16:
        // More than can be delivered in these days: it expires.
        await this.offer({ seller: "Erin", buyer: "Dave" }, 30n, 20n, 6 * DAY);
        break;
      case 12:
        await this.dispute("Carol", "Erin");
        break;
      case 11:
        await this.rule("Carol", "Erin");
        break;
      case 1:
        // The co-op's ruling is left to whoever plays it, and the answer to this offer to whoever plays Alice.
        await this.dispute("Carol", "Bob");
        await this.offer({ seller: "Bob", buyer: "Alice" }, 10n, 18n, TERM);
    }
  }

  /** The newest delivery that can be disputed. */
  private async dispute(seller: string, buyer: string): Promise<void> {
    const delivery = await this.lastDelivery(seller, buyer, TransactionStatus.Delivered);
    if (!delivery) return;
    await this.try(`${buyer} cannot dispute`, this.keypair(buyer), (client) =>
      client.dispute_transaction({ transaction_id: delivery.transaction_id, disputer: this.address(buyer) }),
    );
  }

  /** Half of it is to be paid, as the co-op sees it. */
  private async rule(seller: string, buyer: string): Promise<void> {
    const delivery = await this.lastDelivery(seller, buyer, TransactionStatus.Disputed);
    if (!delivery) return;
    await this.try(`${COOP} cannot rule`, this.keypair(COOP), (client) =>
      client.resolve_dispute({
        transaction_id: delivery.transaction_id,
        energy_accepted_kwh: delivery.energy_delivered_kwh / 2n,
        resolver: this.address(COOP),
      }),
    );
  }

  private async lastDelivery(seller: string, buyer: string, status: TransactionStatus) {
    for (const { agreement } of this.agreements.filter((of) => of.seller === seller && of.buyer === buyer)) {
      const found = (await this.ledger.transactions(agreement.agreement_id)).findLast((transaction) => transaction.status === status);
      if (found) return found;
    }
    return undefined;
  }

  /** All that were made by those who live here, the newest of each seller first. */
  private async readAgreements(): Promise<void> {
    this.sellers.clear();
    const nameOf = (address: string) => this.names.get(address) ?? address;
    const pages = await Promise.all(
      households.map(async ({ name }) => {
        const entries = await this.ledger.agreementPage(this.address(name), null, Number(MAX_PAGE));
        // A page has the agreements in which its person buys, too.
        return entries.filter(({ agreement }) => nameOf(agreement.provider) === name);
      }),
    );
    this.agreements = pages.flat().map((entry) => {
      const pair = { seller: nameOf(entry.agreement.provider), buyer: nameOf(entry.agreement.consumer) };
      return { ...entry, ...pair, trade: tradeOf(pair) };
    });
  }

  private async readSeller(name: string): Promise<Prosumer> {
    const seller = await this.ledger.prosumer(this.address(name));
    if (!seller) throw new Error(`${name} is not registered`);
    this.sellers.set(name, seller);
    return seller;
  }

  /** What a household's meter shows. */
  private meterWh(name: string): number {
    return this.state.meterWh[name] ?? 0;
  }

  private keypair(name: string): Keypair {
    return Keypair.fromSecret(keysOf(this.state, name).secret);
  }

  private meter(name: string): Keypair {
    return Keypair.fromSecret(keysOf(this.state, name).meterSecret ?? "");
  }

  private address(name: string): string {
    return this.keypair(name).publicKey();
  }

  /** Acts for somebody. A refusal is told, and stops nobody else: whoever plays may have been faster. */
  private async try<T>(
    what: string,
    keypair: Keypair,
    call: (client: Client) => Promise<AssembledTransaction<Result<T>>>,
  ): Promise<boolean> {
    const { contractId, tokenId } = this.state;
    try {
      await send(await call(openContract(this.network, contractId, tokenId).client(keypair)));
      return true;
    } catch (error) {
      this.onRefusal(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
}

const pairOf = ({ seller, buyer }: Pair) => `${seller} to ${buyer}`;

function householdOf(name: string): Household {
  const found = households.find((household) => household.name === name);
  if (!found) throw new Error(`nobody of the name ${name} lives here`);
  return found;
}

/** Where there is a deposit; or where the seller trusts that the bill is paid. */
function takesDeliveries(agreement: Agreement): boolean {
  const consumer = consumersOf(agreement.seller).find(({ buyer }) => buyer === agreement.buyer);
  return isOpen(agreement) && (agreement.state.deposit !== Deposit.None || consumer?.pays === "bill");
}

const isOpen = ({ agreement, state }: AgreementEntry) =>
  agreement.status === AgreementStatus.Active && state.transactions < MAX_TRANSACTIONS;

const smallest = (...values: bigint[]) => values.reduce((least, value) => (value < least ? value : least));
