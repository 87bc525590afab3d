// What this person has taken on trust: a contract with the very code and token that were doubted then.

import type { Codes } from "../chain/code.js";
import { recall, remember } from "./memory.js";
import { isText, those } from "./shapes.js";

const KEY = "trusted";

const nameOf = (contractId: string, { contract, token }: Codes) =>
  [contractId, contract.kind, contract.kind === "wasm" ? contract.hash : "", token.kind, token.kind === "wasm" ? token.hash : ""].join(" ");

const all = () => those(recall(KEY), isText);

export const isTrusted = (contractId: string, codes: Codes): boolean => all().includes(nameOf(contractId, codes));

export const trust = (contractId: string, codes: Codes): void => remember(KEY, [...all(), nameOf(contractId, codes)]);
