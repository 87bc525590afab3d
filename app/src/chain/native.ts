// What a contract answers, as JavaScript has it: of all types that the page meets the same as the SDK's `scValToNative`, which comes with all that builds
// such values and transactions.

import { Address, type xdr } from "@stellar/stellar-sdk";

export function toNative(val: xdr.ScVal): unknown {
  switch (val.type) {
    case "scvU128":
    case "scvI128":
      return (val.value.hi << 64n) | val.value.lo;
    case "scvAddress":
      return Address.fromScVal(val).toString();
    case "scvBytes":
      return val.value.value;
    case "scvString":
      return val.str.asStringOrBytes();
    case "scvSymbol":
      return val.sym.asStringOrBytes();
    case "scvVec":
      return (val.value ?? []).map(toNative);
    case "scvMap":
      return Object.fromEntries((val.value ?? []).map((entry) => [toNative(entry.key), toNative(entry.val)]));
    default:
      return val.value;
  }
}
