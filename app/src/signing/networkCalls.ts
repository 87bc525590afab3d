// Operations of the network itself, as this page builds them: for the contract's time on the network, and for an account that shall accept the token.

import { Account, Asset, Contract, Operation, SorobanDataBuilder, TransactionBuilder, xdr, type Transaction } from "@stellar/stellar-sdk";
import { Api, assembleTransaction } from "@stellar/stellar-sdk/rpc";
import { nameOf } from "../chain/asset.js";
import type { Chain } from "../chain/chain.js";
import { codesOf } from "../chain/code.js";
import { BASE_RESERVE, spendable, xlmOf } from "../chain/holdings.js";
import { lifeOf, longestLife, type Life } from "../chain/life.js";
import type { SigningChain } from "../chain/sdk.js";
import { hex, type Entries, type NetworkCall } from "../contract/calls.js";
import { Problem } from "../words/problem.js";
import { bid, priceOf, type Price } from "./price.js";

export interface Built {
  transaction: Transaction;
  price: Price;
}

const entriesIn = (parts: Life["parts"], { wasmHash }: Life, { contractId }: Chain): Entries => ({
  contract: parts.some(({ key }) => key.type === "contractData") ? contractId : null,
  wasm: wasmHash && parts.some(({ key }) => key.type === "contractCode") ? hex(wasmHash) : null,
});

/** Brings back what has expired of instance and code; or has both live as long as the network lets them, if nothing has. */
export async function prolonging(chain: Chain): Promise<NetworkCall> {
  const [life, mostLedgers] = await Promise.all([lifeOf(chain), longestLife(chain)]);
  const expired = life.parts.filter(({ ends }) => ends < life.latestLedger);
  if (expired.length > 0) return { method: "restore_footprint", args: entriesIn(expired, life, chain) };
  return { method: "extend_footprint_ttl", args: { ...entriesIn(life.parts, life, chain), extend_to: mostLedgers - 1 } };
}

/** Builds the transaction of one operation, and asks the network what it costs. It throws if the operation is for anything but this contract and its token. */
export async function build(chain: SigningChain, tokenId: string, call: NetworkCall, source: string): Promise<Built> {
  if (call.method === "change_trust") return buildTrust(chain, tokenId, call.args, source);
  const { wasm } = call.args;
  const { wasmHash } = await lifeOf(chain);
  if (wasm !== null && (!wasmHash || hex(wasmHash) !== wasm)) throw new Problem("linkCall");
  const keys = keysOf(call.args);
  const restores = call.method === "restore_footprint";
  const asked = restores ? new SorobanDataBuilder().setReadWrite(keys) : new SorobanDataBuilder().setReadOnly(keys);
  const operation = restores ? Operation.restoreFootprint({}) : Operation.extendFootprintTtl({ extendTo: call.args.extend_to });
  const [account, { sorobanInclusionFee }] = await Promise.all([chain.server.getAccount(source), chain.server.getFeeStats()]);
  const built = begin(chain, account, bid(sorobanInclusionFee)).addOperation(operation).setSorobanData(asked.build()).build();
  const simulation = await chain.server.simulateTransaction(built);
  if (!Api.isSimulationSuccess(simulation)) throw new Error(Api.isSimulationError(simulation) ? simulation.error : "not simulated");
  // Only what is meant is paid for, whatever the network names.
  const { readOnly, readWrite } = asked.build().resources.footprint;
  simulation.transactionData.setFootprint([...readOnly], [...readWrite]);
  const transaction = assembleTransaction(built, simulation).build();
  return { transaction, price: { ...priceOf(simulation, transaction), restores } };
}

function keysOf({ contract, wasm }: Entries): xdr.LedgerKey[] {
  const keys = contract ? [new Contract(contract).getFootprint()] : [];
  return wasm ? [...keys, xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: wasm }))] : keys;
}

async function buildTrust(chain: SigningChain, tokenId: string, { trustor, asset }: { trustor: string; asset: string }, source: string): Promise<Built> {
  const [{ token }, account, { inclusionFee }] = await Promise.all([codesOf(chain, tokenId), readAccount(chain, source), chain.server.getFeeStats()]);
  if (trustor !== source || token.kind !== "asset" || nameOf(token.asset) !== asset) throw new Problem("linkCall");
  const [code = "", issuer] = asset.split(":");
  const operation = Operation.changeTrust({ asset: new Asset(code, issuer) });
  const transaction = begin(chain, new Account(source, String(account.seqNum)), bid(inclusionFee)).addOperation(operation).build();
  const total = BigInt(transaction.fee);
  if (spendable(xlmOf(account)) < BASE_RESERVE + total) throw new Problem("tooLittleXlm");
  return { transaction, price: { total, restores: false } };
}

const readAccount = ({ server }: SigningChain, address: string) => server.getAccountEntry(address);

/** Its time bounds are set when it is signed. */
const begin = ({ network }: Chain, account: Account, fee: string) =>
  new TransactionBuilder(account, { fee, networkPassphrase: network.passphrase, timebounds: { minTime: 0, maxTime: 0 } });
