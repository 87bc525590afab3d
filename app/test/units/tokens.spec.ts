// A token that is a program answers whatever it likes.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Address, nativeToScVal, StrKey, xdr } from "@stellar/stellar-sdk";
import { Cache } from "../../src/chain/cache.js";
import type { Chain } from "../../src/chain/chain.js";
import { Rpc } from "../../src/chain/rpc.js";
import { openToken } from "../../src/chain/token.js";
import { transfers } from "../../src/signing/movements.js";
import { Problem } from "../../src/words/problem.js";

const [id, account] = [1, 2].map((byte) => StrKey.encodeContract(new Uint8Array(32).fill(byte))) as [string, string];
const amount = nativeToScVal(5n, { type: "i128" });
const honest = { symbol: xdr.ScVal.scvString("EUR"), decimals: xdr.ScVal.scvU32(6), balance: amount };

/** A chain whose token answers with these values. */
function withToken(answers: Record<string, xdr.ScVal>): Chain {
  const post = ({ method, params }: { method: string; params: { transaction: string } }) => {
    if (method === "getLedgerEntries") return Promise.resolve({ result: { entries: [], latestLedger: 1 } });
    const operation = xdr.TransactionEnvelope.fromXdr(params.transaction, "base64");
    const name = Object.keys(answers).find((name) => Buffer.from(operation.toXdr()).includes(name)) ?? "";
    return Promise.resolve({ result: { latestLedger: 1, results: [{ xdr: answers[name]?.toXdr("base64") }] } });
  };
  return {
    contractId: id,
    network: { name: "local", passphrase: "p", rpcUrl: "" },
    cache: new Cache(),
    memory: { recall: () => undefined, remember: () => undefined },
    rpc: new Rpc({ post } as unknown as Chain["requests"]),
  } as unknown as Chain;
}

const isBadToken = (error: unknown) => error instanceof Problem && error.kind === "badToken";

const odd = [
  xdr.ScVal.scvVoid(),
  xdr.ScVal.scvBool(true),
  xdr.ScVal.scvVec([]),
  xdr.ScVal.scvMap([]),
  xdr.ScVal.scvBytes(new Uint8Array([255])),
  new Address(account).toScVal(),
];

test("a token that answers as one should is shown as it says", async () => {
  const token = await openToken(withToken(honest), id);
  assert.deepEqual([token.symbol, token.decimals, await token.balance(account)], ["EUR", 6, 5n]);
});

for (const value of odd)
  test(`a token whose answer is ${value.type} is a bad one`, async () => {
    if (value.type !== "scvAddress") await assert.rejects(openToken(withToken({ ...honest, symbol: value }), id), isBadToken);
    await assert.rejects(openToken(withToken({ ...honest, decimals: value }), id), isBadToken);
    const token = await openToken(withToken({ ...honest, balance: value }), id);
    await assert.rejects(token.balance(account), isBadToken);
  });

test("a transfer of nothing that is an amount is none", () => {
  const event = (data: xdr.ScVal) =>
    new xdr.ContractEvent({
      ext: xdr.ExtensionPoint.v0(),
      contractId: Address.fromString(id).toScAddress().value as xdr.ContractId,
      type: xdr.ContractEventType.contract,
      body: xdr.ContractEventBody.v0(
        new xdr.ContractEventV0({ topics: [xdr.ScVal.scvSymbol("transfer"), new Address(id).toScVal(), new Address(account).toScVal()], data }),
      ),
    });
  assert.deepEqual(transfers([event(amount), ...odd.map(event)], id), [{ from: id, to: account, amount: 5n }]);
});
