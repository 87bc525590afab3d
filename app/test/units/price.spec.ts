// What a simulated call costs, also where no transaction can name it.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { SorobanDataBuilder, xdr, type rpc } from "@stellar/stellar-sdk";
import { MOST_FEE, readable } from "../../src/chain/simulation.js";
import { FEE_LIMIT, priceOf } from "../../src/signing/price.js";

const simulated = (fee: bigint, archived: number[] = []) => {
  const built = new SorobanDataBuilder().setResourceFee(String(fee)).build();
  const ext =
    archived.length > 0
      ? xdr.SorobanTransactionDataExt.resourceExt(new xdr.SorobanResourcesExtV0({ archivedSorobanEntries: archived }))
      : xdr.SorobanTransactionDataExt.v0();
  const data = new xdr.SorobanTransactionData({ ext, resources: built.resources, resourceFee: built.resourceFee });
  return { minResourceFee: String(fee), transactionData: new SorobanDataBuilder(data) };
};

test("the_limit_is_5_xlm", () => assert.equal(FEE_LIMIT, 5n * 10_000_000n));

test("the_price_is_the_most_that_is_named_anywhere", () => {
  assert.deepEqual(priceOf(simulated(300n), { fee: "400" }), { total: 400n, restores: false });
  assert.deepEqual(priceOf(simulated(500n, [0]), { fee: "400" }), { total: 500n, restores: true });
});

test("a_simulation_above_32_bits_can_be_read_and_keeps_its_price", async () => {
  const dear = simulated(4_451_179_430n);
  const server = readable({ simulateTransaction: () => Promise.resolve(dear) } as unknown as rpc.Server);
  const answer = (await server.simulateTransaction(undefined as never)) as typeof dear;
  assert.equal(answer.transactionData.build().resourceFee, MOST_FEE - 10_000_000n);
  assert.deepEqual(priceOf(answer, { fee: String(MOST_FEE) }), { total: 4_451_179_430n, restores: false });
  const cheap = simulated(7n);
  const other = readable({ simulateTransaction: () => Promise.resolve(cheap) } as unknown as rpc.Server);
  assert.equal(((await other.simulateTransaction(undefined as never)) as typeof cheap).transactionData.build().resourceFee, 7n);
});
