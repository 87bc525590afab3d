// The neighbourhood as it begins: the euro, the contract, and everybody's accounts and certified meters.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Asset, Contract, Keypair, Operation, xdr } from "@stellar/stellar-sdk";
import { deploy, send, signer, submit, type Contract as Deployed, type LocalNetwork } from "./network.js";
import { COOP, guest, households } from "./people.js";
import type { Keys, State } from "./state.js";

/** For how many ledgers entries may be paid, after the one in which they are: 180 days. */
const MOST_LEDGERS = 3_110_399;

/** What each household has in the beginning. */
export const STARTING_EUR = 500;

export interface Founded {
  contract: Deployed;
  keys: Record<string, Keys>;
}

export const codeHash = () => createHash("sha256").update(readFileSync(process.env.WASM ?? "")).digest("hex");

export async function found(network: LocalNetwork): Promise<Founded> {
  const [coop, issuer] = [Keypair.random(), Keypair.random()];
  await network.fund(issuer.publicKey());
  const euro = new Asset("EUR", issuer.publicKey());
  const contract = await deploy(network, coop, euro);
  const keys: Record<string, Keys> = { [COOP]: { secret: coop.secret() } };
  for (const { name, maxPowerKw, meterKwh } of [...households, guest]) {
    const [owner, meter] = [Keypair.random(), Keypair.random()];
    keys[name] = { secret: owner.secret(), meterSecret: meter.secret() };
    const prosumer = owner.publicKey();
    for (const keypair of [owner, meter]) await network.fund(keypair.publicKey());
    const trust = Operation.changeTrust({ asset: euro, source: prosumer });
    const payment = Operation.payment({ destination: prosumer, asset: euro, amount: String(STARTING_EUR) });
    await submit(network, [trust, payment], [issuer, owner]);
    await send(await contract.client(owner).register_prosumer({ prosumer }));
    const certificate = await contract.client(coop).register_meter({
      prosumer,
      meter: meter.publicKey(),
      meter_reading: BigInt(meterKwh),
      max_power_kw: BigInt(maxPowerKw),
    });
    // The household agrees to its meter, the co-op sends it.
    const { signAuthEntry } = signer(owner, network.passphrase);
    await certificate.signAuthEntries({ address: prosumer, signAuthEntry });
    await send(certificate);
  }
  return { contract, keys };
}

/** Has the contract, its code and the token live on for as long as the network lets them, as an operator does from time to time. */
export async function extendLife(network: LocalNetwork, operator: Keypair, { contractId, tokenId, codeHash }: State): Promise<void> {
  const code = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: new xdr.Hash(Buffer.from(codeHash, "hex")) }));
  const instances = [contractId, tokenId].map((id) => new Contract(id).getFootprint());
  await submit(network, [Operation.extendFootprintTtl({ extendTo: MOST_LEDGERS })], [operator], [code, ...instances]);
}
