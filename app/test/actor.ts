// Somebody who acts on the contract by key, without a page.

import type { Keypair } from "@stellar/stellar-sdk";
import type { AssembledTransaction, Result } from "@stellar/stellar-sdk/contract";
import { send, signer, type Contract, type LocalNetwork } from "../neighbourhood/network.js";
import type { Client } from "../client/src/index.js";

const DAY = 86_400n;

export class Actor {
  constructor(
    private readonly network: LocalNetwork,
    private readonly contract: Contract,
    readonly keypair: Keypair,
  ) {}

  get address(): string {
    return this.keypair.publicKey();
  }

  /** Signs a call, sends it, and returns the contract's answer. It throws what the contract refuses. */
  async act<T>(call: (client: Client) => Promise<AssembledTransaction<Result<T>>>): Promise<T> {
    return send(await call(this.contract.client(this.keypair)));
  }

  async register(): Promise<void> {
    await this.act((client) => client.register_prosumer({ prosumer: this.address }));
  }

  /** As the admin, certifies a meter, to which its prosumer agrees. */
  async certify(prosumer: Actor, { meter, reading = 0n, power }: { meter: string; reading?: bigint; power: bigint }): Promise<void> {
    const certificate = await this.contract
      .client(this.keypair)
      .register_meter({ prosumer: prosumer.address, meter, meter_reading: reading, max_power_kw: power });
    const { signAuthEntry } = signer(prosumer.keypair, this.network.passphrase);
    await certificate.signAuthEntries({ address: prosumer.address, signAuthEntry });
    await send(certificate);
  }

  /** Offers energy, and returns the agreement's id. The price is in the token's smallest unit. */
  async offer(consumer: { address: string }, { kwh = 40n, price = 1_500_000n, days = 30n } = {}): Promise<bigint> {
    const { closeTime } = await this.network.server.getLatestLedger();
    return this.act((client) =>
      client.create_agreement({
        provider: this.address,
        consumer: consumer.address,
        energy_amount_kwh: kwh,
        price_per_kwh: price,
        delivery_deadline: BigInt(closeTime) + days * DAY,
      }),
    );
  }
}
