// What a link for a second signature says, from what the first person signed.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Address, Asset, authorizeInvocation, buildAuthorizationEntryPreimage, hash, Keypair, nativeToScVal, Networks, xdr } from "@stellar/stellar-sdk";
import { Client } from "../../client/src/index.js";
import type { SigningChain } from "../../src/chain/sdk.js";
import { readContractCall } from "../../src/contract/readCall.js";
import { readShared, toText } from "../../src/signing/share.js";
import { Problem } from "../../src/words/problem.js";
import { accountEntry } from "../account.js";

const [admin, alice, bob, stranger] = [1, 2, 3, 4].map((n) => Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(n))) as [Keypair, Keypair, Keypair, Keypair];
const contractId = new Asset("A", admin.publicKey()).contractId(Networks.TESTNET);
const client = new Client({ contractId, rpcUrl: "https://example.org", networkPassphrase: Networks.TESTNET });
const network = {
  contractId,
  client,
  network: { name: "testnet", passphrase: Networks.TESTNET, rpcUrl: "" },
  server: {
    getLatestLedger: () => Promise.resolve({ sequence: 100, closeTime: "1000" }),
    getAccountEntry: (address: string): Promise<xdr.AccountEntry> => {
      const of = [admin, alice, bob, stranger].find((of) => of.publicKey() === address);
      return of ? Promise.resolve(accountEntry(of, { thresholds: new Uint8Array([1, 0, 0, 0]) })) : Promise.reject(new Error(`Account not found: ${address}`));
    },
  },
  transaction: () => Promise.resolve({ provider: alice.publicKey(), consumer: bob.publicKey() }),
};
const chain = network as unknown as SigningChain;

const contractAddress = Address.fromString(contractId).toScAddress();
const invoked = (functionName: string, args: xdr.ScVal[]) => new xdr.InvokeContractArgs({ contractAddress, functionName, args });

const register = (meter: Keypair | null) =>
  client.spec.funcArgsToScVals("register_meter", { prosumer: bob.publicKey(), meter: meter?.publicKey() ?? null, meter_reading: 7n, max_power_kw: 9n });
const resolve = client.spec.funcArgsToScVals("resolve_dispute", { transaction_id: 3_000_001n, energy_accepted_kwh: 5n, resolver: bob.publicKey() });

const invocationOf = (functionName: string, args: xdr.ScVal[]) =>
  new xdr.SorobanAuthorizedInvocation({
    function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(invoked(functionName, args)),
    subInvocations: [],
  });

/** The link of a person who has signed a call with these arguments. */
async function signedBy(signer: Keypair, functionName: string, args: xdr.ScVal[]): Promise<string> {
  const invocation = invocationOf(functionName, args);
  const entry = await authorizeInvocation({ signer, validUntilLedgerSeq: 200, invocation, networkPassphrase: Networks.TESTNET, publicKey: signer.publicKey() });
  return toText(entry.toXdr());
}

const read = async (text: string) => {
  try {
    const { call, other } = await readShared(chain, admin.publicKey(), text);
    return { ...call, other };
  } catch (error) {
    return error instanceof Problem ? error.kind : error;
  }
};

test("a link says what was signed, and whose signature is missing", async () => {
  const registration = { prosumer: bob.publicKey(), meter: alice.publicKey(), meter_reading: 7n, max_power_kw: 9n };
  assert.deepEqual(await read(await signedBy(admin, "register_meter", register(alice))), { method: "register_meter", args: registration, other: bob.publicKey() });
  assert.deepEqual(await read(await signedBy(bob, "register_meter", register(null))), { method: "register_meter", args: { ...registration, meter: null }, other: admin.publicKey() });
  const resolution = { transaction_id: 3_000_001n, energy_accepted_kwh: 5n, resolver: bob.publicKey() };
  for (const [signer, other] of [[alice, bob], [bob, alice]] as const)
    assert.deepEqual(await read(await signedBy(signer, "resolve_dispute", resolve)), { method: "resolve_dispute", args: resolution, other: other.publicKey() });
});

test("a link with more or fewer arguments than its call has is refused", async () => {
  const [prosumer] = register(null) as [xdr.ScVal];
  assert.equal(await read(await signedBy(admin, "register_meter", [prosumer])), "linkCall");
  assert.equal(await read(await signedBy(admin, "register_meter", [...register(null), prosumer])), "linkCall");
  assert.equal(await read(await signedBy(bob, "resolve_dispute", [])), "linkCall");
});

test("a link whose arguments are of other types is refused", async () => {
  const [prosumer, meter, reading, power] = register(alice) as [xdr.ScVal, xdr.ScVal, xdr.ScVal, xdr.ScVal];
  const others = [
    xdr.ScVal.scvString("7"),
    xdr.ScVal.scvVoid(),
    xdr.ScVal.scvU32(7),
    xdr.ScVal.scvI64(-7n),
    xdr.ScVal.scvU128(new xdr.Uint128Parts({ hi: 1n, lo: 0n })),
    xdr.ScVal.scvBool(true),
    xdr.ScVal.scvVec([reading]),
  ];
  for (const other of others) {
    for (const args of [[prosumer, meter, other, power], [prosumer, meter, reading, other], [other, meter, reading, power]])
      assert.equal(await read(await signedBy(admin, "register_meter", args)), "linkCall", other.type);
    assert.equal(await read(await signedBy(bob, "resolve_dispute", [other, ...resolve.slice(1)])), "linkCall", other.type);
  }
  assert.equal(await read(await signedBy(admin, "register_meter", [prosumer, xdr.ScVal.scvString("<b>"), reading, power])), "linkCall");
  assert.equal(await read(await signedBy(admin, "register_meter", [prosumer, reading, reading, power])), "linkCall");
});

test("a link that was signed by somebody whose signature the call does not need is refused", async () => {
  assert.equal(await read(await signedBy(stranger, "register_meter", register(alice))), "linkCall");
  assert.equal(await read(await signedBy(admin, "resolve_dispute", resolve)), "linkCall");
});

test("a link that was signed by a key that its account has revoked, or for an account that is not there, is refused", async () => {
  const revoked = accountEntry(bob, { thresholds: new Uint8Array(4) });
  const link = await signedBy(bob, "register_meter", register(null));
  const { getAccountEntry } = network.server;
  network.server.getAccountEntry = () => Promise.resolve(revoked);
  assert.equal(await read(link), "damagedLink");
  network.server.getAccountEntry = getAccountEntry;
  const nobody = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(5));
  assert.equal(await read(await signedBy(nobody, "resolve_dispute", resolve)), "noOtherAccount");
});

test("a link for another call, or for no call at all, is refused", async () => {
  assert.equal(await read(await signedBy(bob, "claim_refund", client.spec.funcArgsToScVals("claim_refund", { agreement_id: 1n }))), "linkCall");
  assert.equal(await read("AAAA"), "badLink");
});

test("a deposit of a kind that does not exist is none", () => {
  const args = client.spec.funcArgsToScVals("fund_agreement", { agreement_id: 1n, consumer: bob.publicKey(), deposit: 1 });
  assert.deepEqual(readContractCall(chain, invoked("fund_agreement", args)).args, { agreement_id: 1n, consumer: bob.publicKey(), deposit: 1 });
  const unknown = () => readContractCall(chain, invoked("fund_agreement", [...args.slice(0, -1), xdr.ScVal.scvU32(9)]));
  assert.throws(unknown, (error) => error instanceof Problem && error.kind === "linkCall");
});

test("what several keys of an account have signed counts from the medium weight on, whatever its transactions need", async () => {
  const [first, second] = [alice, bob];
  const account = accountEntry(admin, {
    thresholds: new Uint8Array([0, 3, 2, 3]),
    signers: [first, second].map((of) => new xdr.Signer({ key: xdr.SignerKey.signerKeyTypeEd25519(of.rawPublicKey()), weight: 1 })),
  });
  const owned = { ...network, server: { ...network.server, getAccountEntry: () => Promise.resolve(account) } } as unknown as SigningChain;
  const signers = async (...keys: Keypair[]) => {
    const entry = (signature: xdr.ScVal) => {
      const address = Address.fromString(admin.publicKey()).toScAddress();
      const credentials = new xdr.SorobanAddressCredentials({ address, nonce: 1n, signatureExpirationLedger: 200, signature });
      const rootInvocation = invocationOf("register_meter", register(null));
      return new xdr.SorobanAuthorizationEntry({ credentials: xdr.SorobanCredentials.sorobanCredentialsAddress(credentials), rootInvocation });
    };
    const payload = hash(buildAuthorizationEntryPreimage(entry(xdr.ScVal.scvVoid()), 200, Networks.TESTNET).toXdr());
    const signatures = keys.map((key) => ({ public_key: key.rawPublicKey(), signature: key.sign(payload) }));
    const signed = entry(nativeToScVal(signatures, { type: { public_key: ["symbol", null], signature: ["symbol", null] } }));
    return readShared(owned, admin.publicKey(), toText(signed.toXdr())).then(
      ({ signer }) => signer,
      (error: unknown) => (error instanceof Problem ? error.kind : error),
    );
  };
  assert.equal(await signers(first, second), admin.publicKey());
  assert.equal(await signers(first), "damagedLink");
  assert.equal(await signers(first, second, stranger), "damagedLink");
  // The weight of the account's own key is 0: it is none of its signers.
  assert.equal(await signers(first, second, admin), "damagedLink");
});
