// The keys under which the ledger has what the page reads of it.

import { Address, StrKey, xdr } from "@stellar/stellar-sdk";
import { accountId, trustLineAsset, type Asset } from "./asset.js";

export const accountKey = (address: string): xdr.LedgerKey => xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: accountId(address) }));

/** What an account has of an asset; undefined for whoever has no such entry: a contract keeps its own books, and an issuer has no need of its own asset. */
export function holdingKey(asset: Asset, address: string): xdr.LedgerKey | undefined {
  if (!StrKey.isValidEd25519PublicKey(address) || asset.issuer === address) return undefined;
  if (asset.issuer === undefined) return accountKey(address);
  return xdr.LedgerKey.trustline(new xdr.LedgerKeyTrustLine({ accountId: accountId(address), asset: trustLineAsset(asset) }));
}

/** What a contract stores under a key of its own. */
export function recordKey(contractId: string, key: xdr.ScVal): xdr.LedgerKey {
  const contract = Address.fromString(contractId).toScAddress();
  return xdr.LedgerKey.contractData(new xdr.LedgerKeyContractData({ contract, key, durability: xdr.ContractDataDurability.persistent }));
}

/** A contract itself: which code it runs. */
export const instanceKey = (contractId: string): xdr.LedgerKey => recordKey(contractId, xdr.ScVal.scvLedgerKeyContractInstance());

export const codeKey = (hash: Uint8Array): xdr.LedgerKey => xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash }));
