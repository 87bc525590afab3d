// The network's own assets: XLM, and those that an account issues.

import { hash, StrKey, xdr } from "@stellar/stellar-sdk";

/** XLM is the one that nobody issues. */
export interface Asset {
  code: string;
  issuer?: string;
}

export const XLM_ASSET: Asset = { code: "XLM" };

const LONG_CODE = 12;

/** Reads an asset's name as its contract tells it, such as `EUR:G…`. */
export function readAsset(name: string): Asset | undefined {
  if (name === "native") return XLM_ASSET;
  const [code = "", issuer = "", ...more] = name.split(":");
  return /^[A-Za-z0-9]{1,12}$/.test(code) && StrKey.isValidEd25519PublicKey(issuer) && more.length === 0 ? { code, issuer } : undefined;
}

/** The name of an asset that somebody issues, as its contract tells it. */
export const nameOf = ({ code, issuer }: Asset) => (issuer === undefined ? undefined : `${code}:${issuer}`);

/** The address of an asset's contract on a network: no other contract can have it. */
export function contractIdOf(asset: Asset, passphrase: string): string {
  const preimage = xdr.ContractIdPreimage.contractIdPreimageFromAsset(toXdr(asset));
  const type = xdr.EnvelopeType.envelopeTypeContractId.toXdr();
  return StrKey.encodeContract(hash(Uint8Array.of(...type, ...hash(new TextEncoder().encode(passphrase)), ...preimage.toXdr())));
}

export const accountId = (address: string): xdr.AccountId => xdr.PublicKey.publicKeyTypeEd25519(StrKey.decodeEd25519PublicKey(address));

function toXdr({ code, issuer: address }: Asset): xdr.Asset {
  if (address === undefined) return xdr.Asset.assetTypeNative();
  const issuer = accountId(address);
  const short = code.length <= 4;
  const assetCode = new TextEncoder().encode(code.padEnd(short ? 4 : LONG_CODE, "\0"));
  return short
    ? xdr.Asset.assetTypeCreditAlphanum4(new xdr.AlphaNum4({ assetCode, issuer }))
    : xdr.Asset.assetTypeCreditAlphanum12(new xdr.AlphaNum12({ assetCode, issuer }));
}

export function trustLineAsset(asset: Asset): xdr.TrustLineAsset {
  // Both types say the same of an asset.
  return xdr.TrustLineAsset.fromXdr(toXdr(asset).toXdr());
}
