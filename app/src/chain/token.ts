// The token of all payments, any SEP-41 token.

import { Client, type AssembledTransaction } from "@stellar/stellar-sdk/contract";
import type { Chain } from "./chain.js";

export interface Token {
  contractId: string;
  symbol: string;
  decimals: number;
  balance: (id: string) => Promise<bigint>;
}

interface TokenClient {
  symbol: () => Promise<AssembledTransaction<string>>;
  decimals: () => Promise<AssembledTransaction<number>>;
  balance: (args: { id: string }) => Promise<AssembledTransaction<bigint>>;
}

export async function openToken({ client: { options }, server }: Chain, contractId: string): Promise<Token> {
  const { rpcUrl, networkPassphrase, allowHttp } = options;
  const client = await Client.from<TokenClient>({ contractId, rpcUrl, networkPassphrase, allowHttp, server });
  const [symbol, decimals] = await Promise.all([client.symbol(), client.decimals()]);
  return {
    contractId,
    symbol: symbol.result === "native" ? "XLM" : symbol.result,
    decimals: decimals.result,
    async balance(id) {
      const call = await client.balance({ id });
      try {
        return call.result;
      } catch {
        // The Stellar Asset Contract has no balance for accounts without a trustline.
        return 0n;
      }
    },
  };
}

/** What an account has for fees, in stroops; 0 if there is no such account. */
export async function xlmBalance({ server }: Chain, account: string): Promise<bigint> {
  try {
    return (await server.getAccountEntry(account)).balance;
  } catch (error) {
    if (error instanceof Error && /not found/i.test(error.message)) return 0n;
    throw error;
  }
}
