// What a contract pays with: XLM, an asset that somebody issues, or the token of `test/token`, which is no asset.

import { readFileSync } from "node:fs";
import { Asset, hash, Keypair, Operation } from "@stellar/stellar-sdk";
import { Client, type AssembledTransaction } from "@stellar/stellar-sdk/contract";
import { options, submit, type LocalNetwork } from "../neighbourhood/network.js";

export type TokenKind =
  | "native"
  | { asset: string }
  /** `takes` are the stroops of XLM that a transfer takes besides from whoever pays. */
  | { decimals: number; symbol?: string; takes?: bigint };

export interface Token {
  contractId: string;
  /** The asset, if somebody issues it. */
  asset?: Asset;
  /** What everybody has in the beginning: 500 of the token. */
  give(keypair: Keypair): Promise<void>;
}

interface TokenClient {
  mint(args: { to: string; amount: bigint }): Promise<AssembledTransaction<null>>;
}

const STARTING_BALANCE = 500n;

export async function createToken(network: LocalNetwork, kind: TokenKind): Promise<Token> {
  const issuer = Keypair.random();
  await network.fund(issuer.publicKey());
  const xlm = await assetContract(network, Asset.native(), issuer);
  if (kind === "native") return { contractId: xlm, give: () => Promise.resolve() };
  if ("asset" in kind) {
    const asset = new Asset(kind.asset, issuer.publicKey());
    return {
      contractId: await assetContract(network, asset, issuer),
      asset,
      async give(keypair) {
        const source = keypair.publicKey();
        const trust = Operation.changeTrust({ asset, source });
        const payment = Operation.payment({ destination: source, asset, amount: String(STARTING_BALANCE) });
        await submit(network, [trust, payment], [issuer, keypair]);
      },
    };
  }
  const { decimals, symbol = "SUN", takes = 0n } = kind;
  const wasm = readFileSync(process.env.TOKEN_WASM ?? "");
  await submit(network, [Operation.uploadContractWasm({ wasm })], [issuer]);
  const deployment = await Client.deploy<TokenClient & Client>(
    { decimals, symbol, xlm, takes },
    { ...options(network, issuer), wasmHash: hash(wasm) },
  );
  const client = (await deployment.signAndSend()).result;
  return {
    contractId: client.options.contractId,
    async give(keypair) {
      const amount = STARTING_BALANCE * 10n ** BigInt(decimals);
      await (await client.mint({ to: keypair.publicKey(), amount })).signAndSend();
    },
  };
}

/** Anybody may create an asset's contract. */
async function assetContract(network: LocalNetwork, asset: Asset, keypair: Keypair): Promise<string> {
  await submit(network, [Operation.createStellarAssetContract({ asset })], [keypair]);
  return asset.contractId(network.passphrase);
}

/** In stroops. */
export const xlmBalance = async ({ server }: LocalNetwork, address: string): Promise<bigint> => (await server.getAccountEntry(address)).balance;
