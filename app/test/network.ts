// A network of the tests' own, with the contract on it.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Asset, BASE_FEE, hash, Keypair, Networks, Operation, rpc, TransactionBuilder, type xdr } from "@stellar/stellar-sdk";
import { KeypairSigner, type AssembledTransaction, type Result } from "@stellar/stellar-sdk/contract";
import { Client } from "../client/src/index.js";

const { LOCALNET = "localnet", WASM = "" } = process.env;

export interface LocalNetwork {
  url: string;
  rpcUrl: string;
  passphrase: string;
  server: rpc.Server;
  advance(seconds: number): Promise<void>;
  fund(address: string): Promise<void>;
  stop(): void;
}

export async function startNetwork(): Promise<LocalNetwork> {
  const child = spawn(LOCALNET, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the network ended with ${code}`)));
    child.stdout.on("data", (text: Buffer) => {
      const ready = /ready at (\S+)\/rpc/.exec(text.toString());
      if (ready) resolve(ready[1]);
    });
  });
  const rpcUrl = `${url}/rpc`;
  const post = async (path: string) => {
    const answer = await fetch(`${url}/${path}`, { method: "POST" });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    url,
    rpcUrl,
    passphrase: Networks.STANDALONE,
    server: new rpc.Server(rpcUrl, { allowHttp: true }),
    advance: (seconds) => post(`advance?seconds=${seconds}`),
    fund: (address) => post(`friendbot?addr=${address}`),
    stop: () => void child.kill(),
  };
}

export interface Contract {
  contractId: string;
  tokenId: string;
  /** Reads; and acts for whoever is given. */
  client(keypair?: Keypair): Client;
}

/** Deploys the contract, with the network's own money as its token. */
export async function deploy(network: LocalNetwork, admin: Keypair): Promise<Contract> {
  const { rpcUrl, passphrase: networkPassphrase } = network;
  await network.fund(admin.publicKey());
  const wasm = readFileSync(WASM);
  await submit(network, admin, Operation.uploadContractWasm({ wasm }));
  await submit(network, admin, Operation.createStellarAssetContract({ asset: Asset.native() }));
  const options = (keypair?: Keypair) => ({
    rpcUrl,
    networkPassphrase,
    allowHttp: true,
    ...(keypair && signer(keypair, networkPassphrase)),
  });
  const deployed = await (await Client.deploy({ ...options(admin), wasmHash: hash(wasm) })).signAndSend();
  const { contractId } = deployed.result.options;
  const client = (keypair?: Keypair) => new Client({ ...options(keypair), contractId });
  const tokenId = Asset.native().contractId(networkPassphrase);
  await send(await client(admin).initialize({ admin: admin.publicKey(), token_contract: tokenId }));
  return { contractId, tokenId, client };
}

const signer = (keypair: Keypair, networkPassphrase: string) => {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(keypair, networkPassphrase);
  return { publicKey: address, signTransaction, signAuthEntry };
};

export const send = async <T>(call: AssembledTransaction<Result<T>>): Promise<T> => (await call.signAndSend()).result.unwrap();

async function submit({ server, passphrase: networkPassphrase }: LocalNetwork, keypair: Keypair, operation: xdr.Operation): Promise<void> {
  const account = await server.getAccount(keypair.publicKey());
  const built = new TransactionBuilder(account, { fee: BASE_FEE, networkPassphrase }).addOperation(operation).setTimeout(60).build();
  const transaction = await server.prepareTransaction(built);
  transaction.sign(keypair);
  const { hash } = await server.sendTransaction(transaction);
  const { status } = await server.pollTransaction(hash);
  if (status !== "SUCCESS") throw new Error(`${hash}: ${status}`);
}
