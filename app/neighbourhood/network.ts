// A network of this machine's own, with the contract on it.

import { readFileSync } from "node:fs";
import { Asset, BASE_FEE, hash, Keypair, Networks, Operation, rpc, SorobanDataBuilder, TransactionBuilder, type xdr } from "@stellar/stellar-sdk";
import { KeypairSigner, type AssembledTransaction, type Result } from "@stellar/stellar-sdk/contract";
import { Client } from "../client/src/index.js";
import { guard } from "./guard.js";

const { LOCALNET = "localnet", WASM = "" } = process.env;

export interface LocalNetwork {
  url: string;
  rpcUrl: string;
  passphrase: string;
  server: rpc.Server;
  /** Fails when the network's program ends before it is stopped. */
  ended: Promise<never>;
  advance(seconds: number): Promise<void>;
  fund(address: string): Promise<void>;
  stop(): Promise<void>;
}

/** Days for which the network tells its events and transactions: a month that is played in minutes can be looked at as a whole. */
const REMEMBERED_DAYS = 100;

export interface NetworkOptions {
  port?: number;
  stateFile?: string;
  passphrase?: Networks;
}

/** At a free port if none is given, and forgotten when it stops if there is no file that keeps it. */
export async function startNetwork({ port = 0, stateFile, passphrase = Networks.STANDALONE }: NetworkOptions = {}): Promise<LocalNetwork> {
  const options = ["--port", String(port), "--passphrase", passphrase, "--retention-ledgers", String(REMEMBERED_DAYS * 17_280)];
  if (stateFile) options.push("--state-file", stateFile);
  const program = guard("the network", LOCALNET, options, { ...process.env });
  program.child.stderr.pipe(process.stderr);
  const ready = new Promise<string>((resolve) => {
    program.child.stdout.on("data", (text: Buffer) => {
      const [, address] = /ready at (\S+)\/rpc/.exec(text.toString()) ?? [];
      if (address) resolve(address);
    });
  });
  const url = await Promise.race([ready, program.ended]);
  const rpcUrl = `${url}/rpc`;
  const post = async (path: string) => {
    const answer = await fetch(`${url}/${path}`, { method: "POST" });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    url,
    rpcUrl,
    passphrase,
    server: new rpc.Server(rpcUrl, { allowHttp: true }),
    ended: program.ended,
    advance: (seconds) => post(`advance?seconds=${seconds}`),
    fund: (address) => post(`friendbot?addr=${address}`),
    stop: () => program.stop(),
  };
}

export interface Contract {
  contractId: string;
  tokenId: string;
  /** Reads; and acts for whoever is given. */
  client(keypair?: Keypair): Client;
}

/** Deploys the contract, which pays with this asset. */
export async function deploy(network: LocalNetwork, admin: Keypair, asset = Asset.native()): Promise<Contract> {
  await network.fund(admin.publicKey());
  await submit(network, [Operation.createStellarAssetContract({ asset })], [admin]);
  return deployFor(network, admin, asset.contractId(network.passphrase));
}

/** Deploys the contract, which pays with a token that is there. */
export async function deployFor(network: LocalNetwork, admin: Keypair, tokenId: string): Promise<Contract> {
  const wasm = readFileSync(WASM);
  await submit(network, [Operation.uploadContractWasm({ wasm })], [admin]);
  const deployed = await (await Client.deploy({ ...options(network, admin), wasmHash: hash(wasm) })).signAndSend();
  const contract = openContract(network, deployed.result.options.contractId, tokenId);
  await send(await contract.client(admin).initialize({ admin: admin.publicKey(), token_contract: tokenId }));
  return contract;
}

export const openContract = (network: LocalNetwork, contractId: string, tokenId: string): Contract => ({
  contractId,
  tokenId,
  client: (keypair) => new Client({ ...options(network, keypair), contractId }),
});

export const options = ({ rpcUrl, server, passphrase }: LocalNetwork, keypair?: Keypair) => ({
  rpcUrl,
  server,
  networkPassphrase: passphrase,
  allowHttp: true,
  ...(keypair && signer(keypair, passphrase)),
});

export const signer = (keypair: Keypair, networkPassphrase: string) => {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(keypair, networkPassphrase);
  return { publicKey: address, signTransaction, signAuthEntry };
};

/** Throws what the contract refuses, without sending it. */
export async function send<T>(call: AssembledTransaction<Result<T>>): Promise<T> {
  call.result.unwrap();
  return (await call.signAndSend()).result.unwrap();
}

/** A transaction of the first signer. The footprint is for those that only touch entries, and run no contract. */
export async function submit(
  { server, passphrase: networkPassphrase }: LocalNetwork,
  operations: xdr.Operation[],
  signers: [Keypair, ...Keypair[]],
  footprint: xdr.LedgerKey[] = [],
): Promise<void> {
  const account = await server.getAccount(signers[0].publicKey());
  const builder = new TransactionBuilder(account, { fee: BASE_FEE, networkPassphrase }).setTimeout(60);
  for (const operation of operations) builder.addOperation(operation);
  if (footprint.length > 0) builder.setSorobanData(new SorobanDataBuilder().setReadOnly(footprint).build());
  const built = builder.build();
  const isSimulated = footprint.length > 0 || built.operations.some(({ type }) => type === "invokeHostFunction");
  const transaction = isSimulated ? await server.prepareTransaction(built) : built;
  transaction.sign(...signers);
  const { hash } = await server.sendTransaction(transaction);
  const { status } = await server.pollTransaction(hash);
  if (status !== rpc.Api.GetTransactionStatus.SUCCESS) throw new Error(`${hash}: ${status}`);
}
