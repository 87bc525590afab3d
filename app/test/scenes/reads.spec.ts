// What the page reads of the ledger's entries is what the contracts themselves answer.

import assert from "node:assert/strict";
import { Address, Keypair, scValToNative } from "@stellar/stellar-sdk";
import { AssembledTransaction } from "@stellar/stellar-sdk/contract";
import { Chain } from "../../src/chain/chain.js";
import { findNetwork } from "../../src/chain/networks.js";
import { openToken, xlmBalance } from "../../src/chain/token.js";
import { Deposit } from "../../client/src/index.js";
import type { Contract, LocalNetwork } from "../../neighbourhood/network.js";
import type { RpcProxy } from "../proxy.js";
import { test } from "../scene.js";

function chainOf(rpc: RpcProxy, { contractId }: Contract): Chain {
  const network = findNetwork("local", rpc.rpcUrl);
  assert.ok(network);
  return new Chain({ network, contractId }, { recall: () => undefined, remember: () => undefined });
}

/** As the token's contract answers it; nothing where it refuses to. */
async function answered({ rpcUrl, passphrase }: LocalNetwork, contractId: string, id: string): Promise<bigint | undefined> {
  const call = await AssembledTransaction.build<bigint>({
    contractId,
    rpcUrl,
    networkPassphrase: passphrase,
    allowHttp: true,
    method: "balance",
    args: [Address.fromString(id).toScVal()],
    parseResultXdr: (result) => scValToNative(result) as bigint,
  });
  try {
    return call.result;
  } catch {
    return undefined;
  }
}

for (const kind of ["native", { asset: "EUR" }, { asset: "EURCOIN" }, { decimals: 4 }] as const)
  test.describe(`where the token is ${JSON.stringify(kind)}`, () => {
    test.use({ token: kind });

    test("a balance is that which the token's contract answers", async ({ actor, admin, network, contract, rpc }) => {
      const [alice, bob] = [await actor(), await actor()];
      const stranger = Keypair.random().publicKey();
      const id = await alice.offer(bob, { kwh: 40n, price: 25_000n });
      await bob.act((client) => client.fund_agreement({ agreement_id: id, consumer: bob.address, deposit: Deposit.Reviewed }));
      const chain = chainOf(rpc, contract);
      const token = await openToken(chain, (await chain.config()).token_contract);
      const issuer = token.asset?.issuer;
      for (const address of [alice.address, bob.address, admin.address, contract.contractId, stranger, ...(issuer ? [issuer] : [])])
        assert.equal(await token.balance(address), (await answered(network, token.contractId, address)) ?? 0n, address);
      assert.equal(await token.balance(contract.contractId), 1_000_000n);
      assert.equal(await xlmBalance(chain, alice.address), (await network.server.getAccountEntry(alice.address)).balance);
      assert.equal(await xlmBalance(chain, stranger), 0n);
    });
  });
