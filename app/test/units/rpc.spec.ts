// What the page writes and reads without the SDK's server and the generated client is, byte for byte and value for value, what they write and read.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Account, Address, Asset, BASE_FEE, Contract, Keypair, nativeToScVal, Networks, scValToNative, StrKey, TransactionBuilder, xdr } from "@stellar/stellar-sdk";
import { NULL_ACCOUNT } from "@stellar/stellar-sdk/contract";
import { AgreementStatus, Client, Deposit, TransactionStatus } from "../../client/src/index.js";
import { contractIdOf, readAsset, XLM_ASSET } from "../../src/chain/asset.js";
import { envelopeOf } from "../../src/chain/envelope.js";
import { accountKey, codeKey, holdingKey, instanceKey, recordKey } from "../../src/chain/keys.js";
import { toNative } from "../../src/chain/native.js";

const key = (byte: number) => Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(byte)).publicKey();
const [alice, bob, issuer] = [key(1), key(2), key(3)];
const contractId = StrKey.encodeContract(new Uint8Array(32).fill(7));
const { spec } = new Client({ contractId, networkPassphrase: Networks.TESTNET, rpcUrl: "https://rpc.example.org" });

const MOST = 2n ** 64n - 1n;
const agreement = {
  agreement_id: 3_000_001n,
  provider: alice,
  consumer: contractId,
  energy_amount_kwh: 40n,
  price_per_kwh: MOST,
  total_amount: 1n,
  delivery_deadline: 1_900_000_000n,
  status: AgreementStatus.Expired,
  created_at: 0n,
};
const state = { energy_delivered_kwh: 1n, pending_amount: MOST, disputed_amount: 0n, escrow_amount: 5n, transactions: 2n, deposit: Deposit.Metered };
const transaction = {
  transaction_id: 10_000_003_000_001n,
  agreement_id: 3_000_001n,
  provider: alice,
  consumer: bob,
  energy_delivered_kwh: 9n,
  meter_reading: 120_540n,
  payment_amount: 22_500_000n,
  delivered_at: 1_800_000_000n,
  settled_at: null,
  status: TransactionStatus.Disputed,
};
const prosumer = {
  number: 3n,
  meter: null,
  max_power_kw: 0n,
  meter_start: 0n,
  meter_reading: 0n,
  read_at: 0n,
  energy_sold_kwh: 0n,
  agreements: 0n,
  last_agreement: null,
};

/** Each call that the page reads by, with arguments, and what it may answer. */
const calls: Record<string, { args?: Record<string, unknown>; answers: unknown[] }> = {
  get_config: { answers: [{ admin: alice, token_contract: contractId }] },
  get_prosumer: {
    args: { prosumer: alice },
    answers: [prosumer, { ...prosumer, meter: bob, max_power_kw: 10n, meter_reading: 34_359_738_367n, last_agreement: 3_000_001n }],
  },
  get_prosumer_count: { answers: [0n, MOST] },
  get_agreement: { args: { agreement_id: 3_000_001n }, answers: [agreement] },
  get_agreement_state: { args: { agreement_id: MOST }, answers: [state] },
  get_agreement_page: { args: { prosumer: contractId, before: 3_000_001n, limit: 25 }, answers: [[], [{ agreement, state }, { agreement, state }]] },
  get_agreement_transactions: { args: { agreement_id: 0n }, answers: [[], [transaction, { ...transaction, settled_at: 1n, status: TransactionStatus.Settled }]] },
  get_transaction: { args: { transaction_id: 10_000_003_000_001n }, answers: [transaction] },
  get_transaction_states: {
    args: { agreement_id: 3_000_001n },
    answers: [[{ metered: true, ruled: false, disputed_at: null, provider_settles_from: 0n }, { metered: false, ruled: true, disputed_at: 7n, provider_settles_from: 9n }]],
  },
  get_transaction_history: { args: { prosumer: bob }, answers: [[], [transaction]] },
};

for (const [name, { args = {}, answers }] of Object.entries(calls)) {
  test(`${name} is asked in the very transaction that the SDK builds`, () => {
    const values = spec.funcArgsToScVals(name, args);
    const built = new TransactionBuilder(new Account(NULL_ACCOUNT, "0"), { fee: BASE_FEE, networkPassphrase: Networks.TESTNET })
      .addOperation(new Contract(contractId).call(name, ...values))
      .setTimeout(0)
      .build();
    const contractAddress = Address.fromString(contractId).toScAddress();
    assert.equal(envelopeOf(new xdr.InvokeContractArgs({ contractAddress, functionName: name, args: values })), built.toXdr());
  });

  test(`what ${name} answers is read as the generated client reads it`, () => {
    const [output] = spec.getFunc(name).outputs;
    assert.equal(output?.type, "scSpecTypeResult");
    for (const answer of answers) {
      const encoded = spec.nativeToScVal(answer, output.value.okType);
      const read = toNative(xdr.ScVal.fromXdr(encoded.toXdr()));
      assert.deepEqual(read, answer);
      assert.deepEqual(read, (spec.funcResToNative(name, encoded) as { unwrap: () => unknown }).unwrap());
    }
  });
}

test("all calls that only read are among them", () => {
  const reading = spec.funcs().map(({ name }) => name.toString()).filter((name) => name.startsWith("get_"));
  assert.deepEqual(Object.keys(calls).sort(), reading.sort());
});

test("what tokens and events tell is read as the SDK reads it", () => {
  const values = [
    ...[0n, 1n, -1n, 2n ** 127n - 1n, -(2n ** 127n), 2n ** 64n].map((amount) => nativeToScVal(amount, { type: "i128" })),
    ...[0n, 2n ** 128n - 1n, 2n ** 64n].map((amount) => nativeToScVal(amount, { type: "u128" })),
    nativeToScVal("EUR", { type: "string" }),
    nativeToScVal("transfer", { type: "symbol" }),
    nativeToScVal(new Uint8Array([1, 0, 255])),
    xdr.ScVal.scvString(new Uint8Array([0xff, 0xfe])),
    nativeToScVal({ amount: 5n, to: new Address(bob), memo: null, ok: true, n: nativeToScVal(-7, { type: "i32" }), t: xdr.ScVal.scvTimepoint(9n) }),
  ];
  for (const value of values) assert.deepEqual(toNative(value), scValToNative(value));
});

test("an asset has the contract that the SDK says", () => {
  for (const passphrase of [Networks.TESTNET, Networks.PUBLIC, Networks.STANDALONE]) {
    assert.equal(contractIdOf(XLM_ASSET, passphrase), Asset.native().contractId(passphrase));
    for (const code of ["E", "EUR", "USDC", "EURCV", "TWELVELETTER"])
      assert.equal(contractIdOf({ code, issuer }, passphrase), new Asset(code, issuer).contractId(passphrase));
  }
});

test("an asset's name is read as its contract writes it, and nothing else is one", () => {
  assert.deepEqual(readAsset("native"), XLM_ASSET);
  assert.deepEqual(readAsset(`EUR:${issuer}`), { code: "EUR", issuer });
  for (const name of ["", "EUR", ":", `:${issuer}`, `E-R:${issuer}`, `THIRTEENCHARS:${issuer}`, `EUR:${contractId}`, `EUR:${issuer}:`, "XLM"])
    assert.equal(readAsset(name), undefined, name);
});

test("entries are asked by the keys that the SDK makes", () => {
  const accountId = Keypair.fromPublicKey(alice).xdrAccountId();
  const ofTrustline = (asset: Asset) => xdr.LedgerKey.trustline(new xdr.LedgerKeyTrustLine({ accountId, asset: asset.toTrustLineXdrObject() }));
  assert.ok(accountKey(alice).equals(xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId }))));
  assert.ok(instanceKey(contractId).equals(new Contract(contractId).getFootprint()));
  for (const code of ["EUR", "EURCV"]) assert.ok(holdingKey({ code, issuer }, alice)?.equals(ofTrustline(new Asset(code, issuer))));
  assert.ok(holdingKey(XLM_ASSET, alice)?.equals(accountKey(alice)));
  const id = nativeToScVal(3_000_001n, { type: "u64" });
  const durability = xdr.ContractDataDurability.persistent;
  const contract = new Address(contractId).toScAddress();
  assert.ok(recordKey(contractId, id).equals(xdr.LedgerKey.contractData(new xdr.LedgerKeyContractData({ contract, key: id, durability }))));
  const hash = new Uint8Array(32).fill(9);
  assert.ok(codeKey(hash).equals(xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash }))));
});

test("neither an issuer nor a contract has an entry of its own for an asset", () => {
  assert.equal(holdingKey({ code: "EUR", issuer }, issuer), undefined);
  assert.equal(holdingKey({ code: "EUR", issuer }, contractId), undefined);
  assert.equal(holdingKey(XLM_ASSET, contractId), undefined);
});
