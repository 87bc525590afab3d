// What of a balance can be spent and received, as the network counts it.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Account, Address, Asset, Keypair, nativeToScVal, Networks, Operation, TransactionBuilder, xdr } from "@stellar/stellar-sdk";
import { trustLineAsset } from "../../src/chain/asset.js";
import { holdingIn, spendable } from "../../src/chain/holdings.js";
import type { SigningChain } from "../../src/chain/sdk.js";
import { build } from "../../src/signing/networkCalls.js";
import type { Move } from "../../src/signing/review.js";
import { withinMeans, type Prepared } from "../../src/signing/submit.js";
import { Problem } from "../../src/words/problem.js";
import { accountEntry } from "../account.js";

const key = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(1));
const accountId = xdr.PublicKey.publicKeyTypeEd25519(key.rawPublicKey());
const XLM = 10_000_000n;
const liabilities = new xdr.Liabilities({ buying: 7n, selling: 3n * XLM });

const account = (balance: bigint, numSubEntries: number, ext: xdr.AccountEntryExt = xdr.AccountEntryExt.v0()) =>
  xdr.LedgerEntryData.account(accountEntry(key, { balance, numSubEntries, ext }));

const withLiabilities = (ext: xdr.AccountEntryExtensionV1Ext = xdr.AccountEntryExtensionV1Ext.v0()) => xdr.AccountEntryExt.v1(new xdr.AccountEntryExtensionV1({ liabilities, ext }));

const sponsors = (numSponsoring: number, numSponsored: number) =>
  xdr.AccountEntryExtensionV1Ext.v2(
    new xdr.AccountEntryExtensionV2({ numSponsored, numSponsoring, signerSponsoringIDs: [], ext: xdr.AccountEntryExtensionV2Ext.v0() }),
  );

test("an account keeps half an XLM for itself twice and for each entry, and what it offers", () => {
  const free = (entry: xdr.LedgerEntryData) => spendable(holdingIn(entry));
  assert.equal(free(account(10n * XLM, 0)), 9n * XLM);
  assert.equal(free(account(10n * XLM, 3)), 75_000_000n);
  assert.equal(free(account(10n * XLM, 3, withLiabilities())), 45_000_000n);
  // It pays for 4 entries of others, and somebody else for one of its own.
  assert.equal(free(account(10n * XLM, 3, withLiabilities(sponsors(4, 1)))), 3n * XLM);
  // All of its entries are paid for by somebody else.
  assert.equal(free(account(4n * XLM, 0, withLiabilities(sponsors(0, 2)))), XLM);
  assert.equal(free(account(XLM / 2n, 0)), 0n);
  assert.deepEqual(holdingIn(account(10n * XLM, 3, withLiabilities())), {
    acceptance: "ready",
    balance: 10n * XLM,
    locked: 55_000_000n,
    room: 2n ** 63n - 1n - 10n * XLM - 7n,
  });
});

test("of another asset what is offered is locked, and what is bid for takes room", () => {
  const asset = trustLineAsset({ code: "EUR", issuer: key.publicKey() });
  const line = (flags: number, ext: xdr.TrustLineEntryExt = xdr.TrustLineEntryExt.v0()) =>
    xdr.LedgerEntryData.trustline(new xdr.TrustLineEntry({ accountId, asset, balance: 8n * XLM, limit: 20n * XLM, flags, ext }));
  const offering = xdr.TrustLineEntryExt.v1(new xdr.TrustLineEntryV1({ liabilities, ext: xdr.TrustLineEntryV1Ext.v0() }));
  assert.deepEqual(holdingIn(line(1)), { acceptance: "ready", balance: 8n * XLM, locked: 0n, room: 12n * XLM });
  assert.deepEqual(holdingIn(line(1, offering)), { acceptance: "ready", balance: 8n * XLM, locked: 3n * XLM, room: 12n * XLM - 7n });
  assert.equal(holdingIn(line(0)).acceptance, "frozen");
  assert.deepEqual(holdingIn(undefined), { acceptance: "none", balance: 0n, locked: 0n, room: 0n });
});

test("a payment of XLM has to leave the fee, which no simulation charges", () => {
  const source = key.publicKey();
  const options = { fee: "5", networkPassphrase: Networks.TESTNET, timebounds: { minTime: 0, maxTime: 0 } };
  const transaction = new TransactionBuilder(new Account(source, "7"), options).addOperation(Operation.setOptions({})).build();
  const pays = (amount: bigint, changed: Partial<Move> = {}): Prepared => {
    const move: Move = { kind: "transfer", token: Networks.TESTNET, code: "XLM", from: source, to: "C", amount, ...changed };
    const verdict = { moves: [move], refusals: [], auth: [] };
    const call = { method: "claim_refund", args: { agreement_id: 1n } } as const;
    return { call, transaction, verdict, parties: { partners: [], strangers: [] }, price: { total: 5n, restores: false }, mayBeSigned: true };
  };
  assert.equal(withinMeans(pays(95n), 100n).mayBeSigned, true);
  const { mayBeSigned, lacks } = withinMeans(pays(96n), 100n);
  assert.deepEqual({ mayBeSigned, lacks }, { mayBeSigned: false, lacks: { pays: 96n, spendable: 100n } });
  // Another token, or the contract's own XLM, leaves the fee as it is: of that the network tells.
  assert.equal(withinMeans(pays(96n, { code: "EUR" }), 100n).mayBeSigned, true);
  assert.equal(withinMeans(pays(96n, { from: "C" }), 100n).mayBeSigned, true);
});

test("an account that accepts a token needs what the network keeps for one more entry, and the fee", async () => {
  const asset = new Asset("EUR", Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(2)).publicKey());
  const tokenId = asset.contractId(Networks.TESTNET);
  const name = `${asset.getCode()}:${asset.getIssuer()}`;
  const metadata = new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol("METADATA"), val: nativeToScVal({ name }) });
  const executable = xdr.ContractExecutable.contractExecutableStellarAsset();
  const token = new xdr.ContractDataEntry({
    ext: xdr.ExtensionPoint.v0(),
    contract: new Address(tokenId).toScAddress(),
    key: xdr.ScVal.scvLedgerKeyContractInstance(),
    durability: xdr.ContractDataDurability.persistent,
    val: xdr.ScVal.scvContractInstance(new xdr.ScContractInstance({ executable, storage: [metadata] })),
  });
  const accepts = async (entry: xdr.LedgerEntryData) => {
    const chain = {
      contractId: tokenId,
      network: { name: "testnet", passphrase: Networks.TESTNET, rpcUrl: "" },
      rpc: { entries: () => Promise.resolve({ find: () => ({ val: xdr.LedgerEntryData.contractData(token) }) }) },
      server: {
        getAccountEntry: () => Promise.resolve(entry.type === "account" && entry.account),
        getFeeStats: () => Promise.resolve({ inclusionFee: { p80: "100" } }),
      },
    } as unknown as SigningChain;
    const trustor = key.publicKey();
    return build(chain, tokenId, { method: "change_trust", args: { trustor, asset: name } }, trustor).then(
      ({ price: { total } }) => total,
      (error: unknown) => (error instanceof Problem ? error.kind : error),
    );
  };
  const fee = 100n;
  const cases: [kept: bigint, numSubEntries: number, ext?: xdr.AccountEntryExt][] = [
    [XLM, 0],
    [25_000_000n, 3],
    [55_000_000n, 3, withLiabilities()],
    [7n * XLM, 3, withLiabilities(sponsors(4, 1))],
    [3n * XLM, 0, withLiabilities(sponsors(0, 2))],
  ];
  for (const [kept, ...entries] of cases) {
    const least = kept + XLM / 2n + fee;
    assert.equal(await accepts(account(least, ...entries)), fee);
    assert.equal(await accepts(account(least - 1n, ...entries)), "tooLittleXlm");
  }
});
