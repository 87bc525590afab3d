// What speaks against a signature, told from a call and its simulation alone.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Address, Asset, Keypair, nativeToScVal, Networks, xdr, type rpc } from "@stellar/stellar-sdk";
import type { ContractCall } from "../../src/contract/calls.js";
import { invocation, review, type Question, type Verdict } from "../../src/signing/review.js";

const [me, seller, thief, issuer] = [1, 2, 3, 4].map((n) => Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(n)).publicKey()) as [string, string, string, string];
const [sharing, other] = [new Asset("A", issuer), new Asset("B", issuer)].map((asset) => asset.contractId(Networks.TESTNET)) as [string, string];
const asset = new Asset("EUR", issuer);
const token = asset.contractId(Networks.TESTNET);
const xlm = Asset.native().contractId(Networks.TESTNET);

const args = (contract: string, functionName: string, ...values: xdr.ScVal[]) =>
  new xdr.InvokeContractArgs({ contractAddress: new Address(contract).toScAddress(), functionName, args: values });
const address = (text: string) => new Address(text).toScVal();
const amount = (value: bigint) => nativeToScVal(value, { type: "i128" });
const transfer = (contract: string, from: string, to: string, value: bigint, ...sub: xdr.SorobanAuthorizedInvocation[]) =>
  invocation(args(contract, "transfer", address(from), address(to), amount(value)), sub);

function event(contract: string, name: string, topics: xdr.ScVal[], data: xdr.ScVal): xdr.DiagnosticEvent {
  const body = new xdr.ContractEventV0({ topics: [xdr.ScVal.scvSymbol(name), ...topics], data });
  return new xdr.DiagnosticEvent({
    inSuccessfulContractCall: true,
    event: new xdr.ContractEvent({
      ext: xdr.ExtensionPoint.v0(),
      contractId: new xdr.ContractId(Address.fromString(contract).toBuffer()),
      type: xdr.ContractEventType.contract,
      body: xdr.ContractEventBody.v0(body),
    }),
  });
}
const moved = (contract: string, from: string, to: string, value: bigint) =>
  event(contract, "transfer", [address(from), address(to)], amount(value));

const invoked = args(sharing, "call", address(me));
const own = (...sub: xdr.SorobanAuthorizedInvocation[]) => entry(xdr.SorobanCredentials.sorobanCredentialsSourceAccount(), invocation(invoked, sub));
const entry = (credentials: xdr.SorobanCredentials, rootInvocation: xdr.SorobanAuthorizedInvocation) =>
  new xdr.SorobanAuthorizationEntry({ credentials, rootInvocation });
const signedBy = (signer: string, rootInvocation = invocation(invoked)) =>
  entry(
    xdr.SorobanCredentials.sorobanCredentialsAddress(
      new xdr.SorobanAddressCredentials({
        address: new Address(signer).toScAddress(),
        nonce: 1n,
        signatureExpirationLedger: 0,
        signature: xdr.ScVal.scvVoid(),
      }),
    ),
    rootInvocation,
  );

function judge(
  method: ContractCall["method"],
  events: xdr.DiagnosticEvent[],
  auth: xdr.SorobanAuthorizationEntry[],
  more: Partial<Question> = {},
): Verdict {
  const simulation = { events, result: { auth, retval: xdr.ScVal.scvVoid() } } as unknown as rpc.Api.SimulateTransactionSuccessResponse;
  return review({ method, invoked, simulation, source: me, tokenId: token, passphrase: Networks.TESTNET, ...more });
}

/** The refusals, each in a few words. */
const against = ({ refusals }: Verdict) =>
  refusals.map((refusal) => {
    if (refusal.kind === "signer") return `signer ${refusal.address}`;
    if (refusal.kind === "call") return `call ${refusal.name} of ${refusal.contractId}`;
    return `${refusal.move.kind} ${refusal.move.amount} of ${refusal.move.token}`;
  });
const bytes = (entries: xdr.SorobanAuthorizationEntry[]) => entries.map((entry) => entry.toXdr("base64"));

test("a_deposit_is_one_transfer_from_its_payer_to_the_contract", () => {
  const paid = transfer(token, me, sharing, 15n);
  const verdict = judge("fund_agreement", [moved(token, me, sharing, 15n)], [own(paid)]);
  assert.deepEqual(against(verdict), []);
  assert.deepEqual(verdict.moves, [{ kind: "transfer", token, code: undefined, from: me, to: sharing, amount: 15n }]);
  assert.deepEqual(bytes(verdict.auth), bytes([own(paid)]));
  assert.deepEqual(against(judge("fund_agreement", [moved(token, me, thief, 15n)], [own(transfer(token, me, thief, 15n))])), [
    `transfer 15 of ${token}`,
    `call transfer of ${token}`,
  ]);
});

test("a_bill_is_paid_by_its_signer_or_from_the_deposit_and_once", () => {
  assert.deepEqual(against(judge("settle_agreement", [moved(token, me, seller, 7n)], [own(transfer(token, me, seller, 7n))])), []);
  const drawn = judge("settle_agreement", [moved(token, sharing, seller, 7n)], [own()]);
  assert.deepEqual([against(drawn), bytes(drawn.auth)], [[], bytes([own()])]);
  const twice = [moved(token, me, seller, 7n), moved(token, me, seller, 7n)];
  assert.deepEqual(against(judge("settle_agreement", twice, [own(transfer(token, me, seller, 7n))])), [`transfer 7 of ${token}`]);
});

test("what_a_signature_covers_is_the_amount_that_is_shown", () => {
  const verdict = judge("fund_agreement", [moved(token, me, sharing, 15n)], [own(transfer(token, me, sharing, 500n))]);
  assert.deepEqual(against(verdict), [`call transfer of ${token}`]);
  assert.deepEqual(bytes(verdict.auth), []);
  assert.deepEqual(against(judge("fund_agreement", [], [own(transfer(token, me, sharing, 15n))])), [`call transfer of ${token}`]);
});

test("a_transfer_within_the_transfer_is_named", () => {
  const hidden = transfer(token, me, sharing, 15n, transfer(xlm, me, token, 5n));
  const verdict = judge("fund_agreement", [moved(token, me, sharing, 15n), moved(xlm, me, token, 5n)], [own(hidden)]);
  assert.deepEqual(against(verdict), [`transfer 5 of ${xlm}`, `call transfer of ${xlm}`]);
});

test("a_call_that_moves_nothing_moves_nothing_of_any_token", () => {
  assert.deepEqual(against(judge("register_prosumer", [moved(token, me, sharing, 1n)], [own()])), [`transfer 1 of ${token}`]);
  const allowed = event(other, "approve", [address(me), address(thief)], nativeToScVal([9n, 5], { type: "i128" }));
  const burnt = event(other, "burn", [address(me)], amount(2n));
  const taken = event(other, "clawback", [address(issuer), address(me)], amount(3n));
  const minted = event(other, "mint", [address(issuer), address(thief)], amount(4n));
  assert.deepEqual(
    against(judge("register_prosumer", [allowed, burnt, taken, minted], [own()])),
    ["approve 9", "burn 2", "clawback 3", "mint 4"].map((what) => `${what} of ${other}`),
  );
});

test("another_call_in_place_of_the_one_that_is_shown_is_refused", () => {
  const verdict = judge("register_prosumer", [], [entry(xdr.SorobanCredentials.sorobanCredentialsSourceAccount(), transfer(xlm, me, thief, 1n))]);
  assert.deepEqual([against(verdict), verdict.auth], [[`call transfer of ${xlm}`], []]);
  const changed = invocation(args(sharing, "call", address(thief)));
  assert.deepEqual(against(judge("register_prosumer", [], [entry(xdr.SorobanCredentials.sorobanCredentialsSourceAccount(), changed)])), [
    `call call of ${sharing}`,
  ]);
});

test("a_second_entry_of_the_signer_is_refused", () => {
  assert.deepEqual(against(judge("register_prosumer", [], [own(), own()])), [`call call of ${sharing}`]);
});

test("somebody_elses_signature_is_taken_only_where_it_was_given_for_this_call", () => {
  const signed = signedBy(seller);
  assert.deepEqual(against(judge("register_meter", [], [own(), signed])), [`signer ${seller}`]);
  const verdict = judge("register_meter", [], [own(), signedBy(seller)], { signed });
  assert.deepEqual([against(verdict), bytes(verdict.auth)], [[], bytes([own(), signed])]);
  assert.deepEqual(against(judge("register_meter", [], [own(), signedBy(seller, transfer(xlm, seller, thief, 1n))], { signed })), [
    `call transfer of ${xlm}`,
  ]);
});

test("an_asset_that_mints_and_burns_says_what_its_issuer_pays_and_is_paid", () => {
  const name = xdr.ScVal.scvString(`EUR:${issuer}`);
  const burnt = event(token, "burn", [address(me), name], amount(7n));
  const verdict = judge("settle_payment", [burnt], [own(transfer(token, me, issuer, 7n))]);
  assert.deepEqual(against(verdict), []);
  assert.deepEqual(verdict.moves, [{ kind: "burn", token, code: "EUR", from: me, to: issuer, amount: 7n }]);
  const lie = event(other, "transfer", [address(me), address(thief), xdr.ScVal.scvString("native")], amount(7n));
  assert.equal(judge("settle_payment", [lie], [own()]).moves[0]?.code, undefined);
});
