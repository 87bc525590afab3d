// The transaction in which a call that only reads is simulated. The SDK builds any transaction, and what it needs for that is half of what it has:
// here, everything but the call is the same each time.

import type { xdr } from "@stellar/stellar-sdk";

/** A transaction of nobody: its number is 1, its fee 100 stroops, it is valid for ever, and has one operation that calls a contract. */
const BEFORE = words(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 24, 0);
/** Nobody's consent, no resources, no signatures. */
const AFTER = words(0, 0, 0);

/** As base64. */
export function envelopeOf(call: xdr.InvokeContractArgs): string {
  return btoa(String.fromCharCode(...BEFORE, ...call.toXdr(), ...AFTER));
}

/** Numbers of 32 bits, the highest byte first. */
function words(...numbers: number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, place) => bytes.setUint32(place * 4, number));
  return new Uint8Array(bytes.buffer);
}
