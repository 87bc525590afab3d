// What an RPC that lies, fails or is behind cannot make the page say.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Account, Address, Asset, Contract, Keypair, nativeToScVal, Networks, SorobanDataBuilder, TransactionBuilder, xdr } from "@stellar/stellar-sdk";
import { Chain } from "../../src/chain/chain.js";
import { accountKey, instanceKey } from "../../src/chain/keys.js";
import { findNetwork } from "../../src/chain/networks.js";
import { withSdk } from "../../src/chain/sdk.js";
import { openToken } from "../../src/chain/token.js";
import { transfers } from "../../src/signing/movements.js";
import { readSigned, send } from "../../src/signing/submit.js";
import { accountEntry } from "../account.js";

const key = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(1));
const me = key.publicKey();
const issuer = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(4)).publicKey();
const tokenId = new Asset("EUR", issuer).contractId(Networks.TESTNET);
const contractId = new Asset("A", issuer).contractId(Networks.TESTNET);

type Asked = { id: number; method: string };

/** Has every request answered by this function, and tells what was asked. */
async function answered<T>(answer: (asked: Asked) => unknown, run: () => Promise<T>): Promise<{ value: T; methods: string[] }> {
  const before = globalThis.fetch;
  const methods: string[] = [];
  globalThis.fetch = (_, init) => {
    const asked = JSON.parse(init?.body as string) as Asked;
    methods.push(asked.method);
    return Promise.resolve(new Response(JSON.stringify({ jsonrpc: "2.0", id: asked.id, result: answer(asked) })));
  };
  try {
    return { value: await run(), methods };
  } finally {
    globalThis.fetch = before;
  }
}

function chain(stored = new Map<string, unknown>()): Chain {
  const network = findNetwork("testnet");
  assert.ok(network);
  return new Chain({ contractId, network }, { recall: (name) => stored.get(name), remember: (name, value) => void stored.set(name, value) });
}

/** The instance of the asset's contract as an RPC tells it, with other decimals and another symbol. */
function instance(): xdr.LedgerEntryData {
  const entry = (name: string, val: xdr.ScVal) => new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol(name), val });
  const text = (value: string) => nativeToScVal(value, { type: "string" });
  const told = [entry("decimal", xdr.ScVal.scvU32(9)), entry("name", text(`EUR:${issuer}`)), entry("symbol", text("BTC"))];
  const storage = [entry("METADATA", xdr.ScVal.scvMap(told))];
  const val = xdr.ScVal.scvContractInstance(new xdr.ScContractInstance({ executable: xdr.ContractExecutable.contractExecutableStellarAsset(), storage }));
  return xdr.LedgerEntryData.contractData(
    new xdr.ContractDataEntry({
      ext: xdr.ExtensionPoint.v0(),
      contract: new Address(tokenId).toScAddress(),
      key: xdr.ScVal.scvLedgerKeyContractInstance(),
      durability: xdr.ContractDataDurability.persistent,
      val,
    }),
  );
}

test("an asset has its own code and seven decimals, whatever an RPC or this browser tells of it", async () => {
  const stored = new Map<string, unknown>();
  const entries = [{ key: instanceKey(tokenId).toXdr("base64"), xdr: instance().toXdr("base64"), liveUntilLedgerSeq: 9 }];
  const { value } = await answered(() => ({ latestLedger: 5, entries }), () => openToken(chain(stored), tokenId));
  assert.deepEqual([value.symbol, value.decimals], ["EUR", 7]);
  for (const name of stored.keys()) stored.set(name, { ...(stored.get(name) as object), symbol: "BTC", decimals: 9 });
  const { value: again } = await answered(() => ({ latestLedger: 5, entries: [] }), () => openToken(chain(stored), tokenId));
  assert.deepEqual([again.symbol, again.decimals], ["EUR", 7]);
});

test("a transfer event without an amount or without two addresses is no movement", () => {
  const event = (topics: xdr.ScVal[], data: xdr.ScVal) =>
    new xdr.ContractEvent({
      ext: xdr.ExtensionPoint.v0(),
      contractId: new xdr.ContractId(Address.fromString(tokenId).toBuffer()),
      type: xdr.ContractEventType.contract,
      body: xdr.ContractEventBody.v0(new xdr.ContractEventV0({ topics: [xdr.ScVal.scvSymbol("transfer"), ...topics], data })),
    });
  const both = [new Address(me).toScVal(), new Address(issuer).toScVal()];
  const five = nativeToScVal(5n, { type: "i128" });
  assert.deepEqual(transfers([event(both, five)], tokenId), [{ from: me, to: issuer, amount: 5n }]);
  for (const odd of [event(both, xdr.ScVal.scvVoid()), event(both, xdr.ScVal.scvU32(5)), event(both.slice(0, 1), five)])
    assert.deepEqual(transfers([odd], tokenId), []);
});

/** A signed call, whose account's number is 8. */
function signed(sdk: ReturnType<typeof withSdk>) {
  const operation = new Contract(contractId).call("claim_refund", nativeToScVal(1n, { type: "u64" }));
  const options = { fee: "100", networkPassphrase: Networks.TESTNET, timebounds: { minTime: 0, maxTime: 1000 } };
  const builder = new TransactionBuilder(new Account(me, "7"), options).addOperation(operation);
  const transaction = builder.setSorobanData(new SorobanDataBuilder().setResourceFee("12345").build()).build();
  transaction.sign(key);
  return readSigned(sdk, { transaction: transaction.toXdr(), signedAt: 700 });
}

const TOO_LATE = -3;
const BAD_SEQUENCE = -5;

/** A transaction's result without anything but its code. */
function refused(code: number) {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setInt32(8, code);
  const errorResultXdr = Buffer.from(bytes.buffer).toString("base64");
  return { status: "ERROR", hash: "", latestLedger: 5, latestLedgerCloseTime: "1001", errorResultXdr };
}

test("a call that is said to come too late may be in the ledger: it is asked for", async () => {
  const sdk = withSdk(chain());
  const call = signed(sdk);
  const { value } = await answered(() => refused(TOO_LATE), () => send(sdk, call));
  assert.deepEqual(value, { type: "untaken", hash: call.hash });
});

test("what was sent is not sent again where the answer is lost", async () => {
  const sdk = withSdk(chain());
  const call = signed(sdk);
  const { methods } = await answered(
    () => {
      throw new TypeError("Failed to fetch");
    },
    () => assert.rejects(send(sdk, call)),
  );
  assert.deepEqual(methods, ["sendTransaction"]);
});

test("a number that is used is no proof against a call, as long as who tells of it is behind", async () => {
  const sdk = withSdk(chain());
  const call = signed(sdk);
  const entry = xdr.LedgerEntryData.account(accountEntry(key, { seqNum: 8n }));
  let asked = 0;
  const { value } = await answered(
    ({ method }) => {
      if (method === "sendTransaction") return refused(BAD_SEQUENCE);
      if (method === "getLedgerEntries") return { latestLedger: 100, entries: [{ key: accountKey(me).toXdr("base64"), xdr: entry.toXdr("base64") }] };
      const latestLedger = asked++ === 0 ? 99 : 100;
      return { status: "NOT_FOUND", latestLedger, latestLedgerCloseTime: "900", oldestLedger: 1, oldestLedgerCloseTime: "1" };
    },
    () => send(sdk, call),
  );
  assert.equal(asked, 2);
  assert.equal(value.type, "refused");
});
