// An account as the ledger has it.

import { xdr, type Keypair } from "@stellar/stellar-sdk";

type Fields = ConstructorParameters<typeof xdr.AccountEntry>[0];

/** The entry of a key's account; of what a test does not name the account has nothing. */
export function accountEntry(of: Keypair, fields: Partial<Fields>): xdr.AccountEntry {
  return new xdr.AccountEntry({
    accountId: xdr.PublicKey.publicKeyTypeEd25519(of.rawPublicKey()),
    balance: 0n,
    seqNum: 0n,
    numSubEntries: 0,
    inflationDest: null,
    flags: 0,
    homeDomain: "",
    thresholds: new Uint8Array(4),
    signers: [],
    ext: xdr.AccountEntryExt.v0(),
    ...fields,
  });
}
