// What was typed into a field for an address, and what is wrong with it.

import { StrKey } from "@stellar/stellar-sdk";
import type { Words } from "../words/en.js";

/** The address in a text as people type and copy it: without the spaces between groups and what cannot be seen, in capitals. */
export const typedAddress = (text: string) => text.replaceAll(/[\s\p{Cf}]/gu, "").toUpperCase();

/** An account or a contract. An M address, as exchanges give one, names a customer of an account, and the contract knows accounts only. */
export function addressProblem(address: string, { addresses }: Words): string | undefined {
  if (StrKey.isValidEd25519PublicKey(address) || StrKey.isValidContract(address)) return undefined;
  return StrKey.isValidMed25519PublicKey(address) ? addresses.muxed : addresses.bad;
}
