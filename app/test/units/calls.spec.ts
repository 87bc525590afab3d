// What can be signed: read back from the transaction that makes it, and refused where that has anything else in it.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Account, Asset, Contract, Keypair, Memo, Networks, Operation, SorobanDataBuilder, TransactionBuilder, xdr } from "@stellar/stellar-sdk";
import { Client, type Config } from "../../client/src/index.js";
import { MOST_FEE } from "../../src/chain/simulation.js";
import type { Call } from "../../src/contract/calls.js";
import { readCall } from "../../src/contract/readCall.js";
import { FEE_LIMIT } from "../../src/signing/price.js";
import { mayBeSigned } from "../../src/signing/submit.js";
import { Problem } from "../../src/words/problem.js";

const [me, issuer] = [1, 2].map((n) => Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(n)).publicKey()) as [string, string];
const contractId = new Asset("A", issuer).contractId(Networks.TESTNET);
const token = new Asset("EUR", issuer);
const chain = { contractId, client: new Client({ contractId, rpcUrl: "https://example.org", networkPassphrase: Networks.TESTNET }) };
const hash = "07".repeat(32);
const instance = new Contract(contractId).getFootprint();
const code = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash }));
const foreign = new Contract(token.contractId(Networks.TESTNET)).getFootprint();

type Keys = xdr.LedgerKey[];
const readOnly = (...keys: Keys) => new SorobanDataBuilder().setReadOnly(keys).build();
const readWrite = (...keys: Keys) => new SorobanDataBuilder().setReadWrite(keys).build();

function made(operation: xdr.Operation, data?: xdr.SorobanTransactionData, alter = (builder: TransactionBuilder) => builder) {
  const options = { fee: "100", networkPassphrase: Networks.TESTNET, timebounds: { minTime: 0, maxTime: 300 } };
  const builder = new TransactionBuilder(new Account(me, "1"), options).addOperation(operation);
  return alter(data ? builder.setSorobanData(data) : builder).build();
}

const refuses = (transaction: ReturnType<typeof made>) => {
  try {
    return readCall(chain, transaction);
  } catch (error) {
    return error instanceof Problem ? error.kind : error;
  }
};

test("each_operation_of_the_network_is_read_back_from_its_transaction", () => {
  const extended = made(Operation.extendFootprintTtl({ extendTo: 99 }), readOnly(instance, code));
  assert.deepEqual(readCall(chain, extended), { method: "extend_footprint_ttl", args: { contract: contractId, wasm: hash, extend_to: 99 } });
  const restored = made(Operation.restoreFootprint({}), readWrite(code));
  assert.deepEqual(readCall(chain, restored), { method: "restore_footprint", args: { contract: null, wasm: hash } });
  const trusted = made(Operation.changeTrust({ asset: token }));
  assert.deepEqual(readCall(chain, trusted), { method: "change_trust", args: { trustor: me, asset: `EUR:${issuer}` } });
});

test("a_call_of_the_contract_is_read_back_with_all_its_arguments", () => {
  const args = chain.client.spec.funcArgsToScVals("cancel_agreement", { agreement_id: 4n, canceller: me });
  assert.deepEqual(readCall(chain, made(new Contract(contractId).call("cancel_agreement", ...args))), {
    method: "cancel_agreement",
    args: { agreement_id: 4n, canceller: me },
  });
  assert.equal(refuses(made(new Contract(contractId).call("cancel_agreement", ...args.slice(1)))), "linkCall");
  assert.equal(refuses(made(new Contract(contractId).call("initialize"))), "linkCall");
});

test("an_operation_for_anything_else_is_no_call_of_this_page", () => {
  assert.equal(refuses(made(Operation.extendFootprintTtl({ extendTo: 99 }), readOnly(instance, foreign))), "linkCall");
  assert.equal(refuses(made(Operation.extendFootprintTtl({ extendTo: 99 }), readOnly(code, code))), "linkCall");
  assert.equal(refuses(made(Operation.extendFootprintTtl({ extendTo: 99 }), readWrite(instance))), "linkCall");
  assert.equal(refuses(made(Operation.extendFootprintTtl({ extendTo: 99 }))), "linkCall");
  assert.equal(refuses(made(Operation.restoreFootprint({}), readOnly(instance))), "linkCall");
  assert.equal(refuses(made(Operation.changeTrust({ asset: token, limit: "5" }))), "linkCall");
  assert.equal(refuses(made(Operation.changeTrust({ asset: token, limit: "0" }))), "linkCall");
  assert.equal(refuses(made(Operation.bumpSequence({ bumpTo: "9" }))), "linkCall");
});

test("a_transaction_has_one_operation_of_its_own_account_and_no_conditions_but_its_time", () => {
  const trust = Operation.changeTrust({ asset: token });
  assert.equal(refuses(made(trust, undefined, (builder) => builder.addOperation(trust))), "linkOperations");
  assert.equal(refuses(made(Operation.changeTrust({ asset: token, source: issuer }))), "linkSource");
  assert.equal(refuses(made(trust, undefined, (builder) => builder.addMemo(Memo.text("thanks")))), "linkConditions");
  assert.equal(refuses(made(trust, undefined, (builder) => builder.setLedgerbounds(0, 9))), "linkConditions");
});

test("no_household_pays_more_than_the_limit_and_the_admin_only_for_the_contract", () => {
  const config = { admin: issuer } as Config;
  const restore: Call = { method: "restore_footprint", args: { contract: contractId, wasm: null } };
  const register: Call = { method: "register_prosumer", args: { prosumer: issuer } };
  const may = (call: Call, source: string, total: bigint, refusals = 0) => {
    const verdict = { moves: [], auth: [], refusals: Array<{ kind: "signer"; address: string }>(refusals).fill({ kind: "signer", address: me }) };
    return mayBeSigned(config, call, source, { verdict, price: { total, restores: true } });
  };
  assert.equal(may(restore, issuer, 300n * 10_000_000n), true);
  assert.equal(may(restore, issuer, MOST_FEE), true);
  assert.equal(may(restore, issuer, MOST_FEE + 1n), false);
  assert.equal(may(restore, me, FEE_LIMIT + 1n), false);
  assert.equal(may(restore, me, FEE_LIMIT), true);
  assert.equal(may(register, issuer, FEE_LIMIT + 1n), false);
  assert.equal(may(register, issuer, FEE_LIMIT), true);
  assert.equal(may(register, issuer, FEE_LIMIT, 1), false);
});
