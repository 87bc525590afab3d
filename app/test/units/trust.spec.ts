// What the page says of a contract's code and token, from what the ledger holds.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Address, Asset, Keypair, nativeToScVal, Networks, xdr } from "@stellar/stellar-sdk";
import { readCode, type Code } from "../../src/chain/code.js";
import { cleanText, unitOf } from "../../src/chain/unit.js";
import { doubtsOf } from "../../src/contract/accepted.js";
import { shortAddress } from "../../src/words/format.js";
import { Problem } from "../../src/words/problem.js";

const issuer = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(4)).publicKey();
const eur = new Asset("EUR", issuer);
const id = eur.contractId(Networks.TESTNET);
const network = { name: "testnet", passphrase: Networks.TESTNET, rpcUrl: "" };

function instance(executable: xdr.ContractExecutable, name?: string): xdr.LedgerEntryData {
  const metadata = name === undefined ? [] : [new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol("METADATA"), val: nativeToScVal({ name }) })];
  const val = xdr.ScVal.scvContractInstance(new xdr.ScContractInstance({ executable, storage: metadata }));
  return xdr.LedgerEntryData.contractData(
    new xdr.ContractDataEntry({
      ext: xdr.ExtensionPoint.v0(),
      contract: new Address(id).toScAddress(),
      key: xdr.ScVal.scvLedgerKeyContractInstance(),
      durability: xdr.ContractDataDurability.persistent,
      val,
    }),
  );
}
const code = (executable: xdr.ContractExecutable, name?: string) => readCode(instance(executable, name), id, Networks.TESTNET);
const wasm = (byte: number) => xdr.ContractExecutable.contractExecutableWasm(new Uint8Array(32).fill(byte));
const stellarAsset = xdr.ContractExecutable.contractExecutableStellarAsset();

test("a_contract_that_runs_accepted_code_with_an_asset_leaves_no_doubt", () => {
  const contract = code(wasm(7));
  assert.deepEqual(contract, { kind: "wasm", hash: "07".repeat(32) });
  const token = code(stellarAsset, `EUR:${issuer}`);
  assert.equal(token.kind, "asset");
  assert.deepEqual(doubtsOf({ contract, token }, ["00".repeat(32), "07".repeat(32)]), []);
  assert.deepEqual(doubtsOf({ contract, token }, ["00".repeat(32)]), ["otherCode"]);
});

test("an_asset_is_one_only_at_its_own_address", () => {
  for (const name of [`USD:${issuer}`, "native", "EUR", "", undefined]) assert.deepEqual(code(stellarAsset, name), { kind: "other" });
});

test("code_that_something_else_names_is_doubted", () => {
  const token: Code = { kind: "asset", asset: { code: "EUR", issuer } };
  assert.deepEqual(doubtsOf({ contract: { kind: "other" }, token }, []), ["changingCode"]);
  assert.deepEqual(doubtsOf({ contract: code(stellarAsset, `EUR:${issuer}`), token }, []), ["changingCode"]);
});

test("a_token_that_is_a_program_is_doubted", () => {
  assert.deepEqual(doubtsOf({ contract: code(wasm(7)), token: code(wasm(7)) }, ["07".repeat(32)]), ["foreignToken"]);
});

test("xlm_is_only_what_has_its_address", () => {
  const xlm = Asset.native().contractId(Networks.TESTNET);
  assert.deepEqual(unitOf(network, xlm, "native", 7), { symbol: "XLM", decimals: 7 });
  for (const symbol of ["native", "XLM", "xlm", "X\u200bLM", "\u202eXLM", "ＸＬＭ", " \u0000 ", "XLM\u3164", "XL\u2800M", "XLM\uFE0F", "\u0301XLM", "XLM \u0301"])
    assert.deepEqual(unitOf(network, id, symbol, 7), { symbol: shortAddress(id), decimals: 7 });
});

test("a_symbol_of_other_than_plain_letters_is_followed_by_the_address_of_its_token", () => {
  for (const symbol of ["ХLМ", "ΧⅬΜ", "ЕUR", "XLḾ", "EUR…", "EUR (C"])
    assert.equal(unitOf(network, id, symbol, 7).symbol, `\u2068${symbol}\u2069 (${shortAddress(id)})`);
  for (const symbol of ["EUR", "yUSDC", "kWh-2", "A.B_1"]) assert.equal(unitOf(network, id, symbol, 7).symbol, symbol);
});

test("a_symbol_is_short_and_turns_no_sentence_around", () => {
  assert.equal(unitOf(network, id, "EURC", 7).symbol, "EURC");
  assert.equal(unitOf(network, id, "A".repeat(1000), 7).symbol, `${"A".repeat(12)}…`);
  assert.equal(unitOf(network, id, "\u202eابج\u202d", 7).symbol, `\u2068ابج\u2069 (${shortAddress(id)})`);
  assert.equal(cleanText("\u2066a\u2069\n\u200fb", 12), "a b");
});

test("decimals_beyond_38_are_refused", () => {
  assert.equal(unitOf(network, id, "EUR", 38).decimals, 38);
  for (const decimals of [39, 4_294_967_295, -1, 1.5, NaN])
    assert.throws(() => unitOf(network, id, "EUR", decimals), (error) => error instanceof Problem && error.kind === "badToken");
});
