// The token of all payments, any SEP-41 token.

import { Address, Asset, scValToNative, type xdr } from "@stellar/stellar-sdk";
import { AssembledTransaction } from "@stellar/stellar-sdk/contract";
import type { Chain } from "./chain.js";
import { cleanText, unitOf } from "./unit.js";

export interface Token {
  contractId: string;
  symbol: string;
  decimals: number;
  balance: (id: string) => Promise<bigint>;
}

/** The name by which the cache knows what an account has. */
export const balanceOf = (account: string) => `balance of ${account}`;

type Name = Pick<Token, "symbol" | "decimals">;

export async function openToken(chain: Chain, contractId: string): Promise<Token> {
  const { symbol, decimals } = await nameOf(chain, contractId);
  return {
    contractId,
    ...unitOf(chain.network, contractId, symbol, decimals),
    balance: (id) =>
      chain.cache.read(
        `token ${balanceOf(id)}`,
        async () => {
          const call = await build<bigint>(chain, contractId, "balance", Address.fromString(id).toScVal());
          try {
            return call.result;
          } catch {
            // The Stellar Asset Contract has no balance for accounts without a trustline.
            return 0n;
          }
        },
        () => ({ about: [balanceOf(id)] }),
      ),
  };
}

/** A token never changes its symbol and its decimals, so this browser asks for them once. */
async function nameOf(chain: Chain, contractId: string): Promise<Name> {
  const key = `token ${contractId} on ${chain.network.passphrase}`;
  const known = chain.memory.recall(key) as Name | undefined;
  if (known) return known;
  const [symbol, decimals] = await Promise.all([build<string>(chain, contractId, "symbol"), build<number>(chain, contractId, "decimals")]);
  const name = { symbol: symbol.result, decimals: decimals.result };
  chain.memory.remember(key, name);
  return name;
}

function build<T>({ client: { options } }: Chain, contractId: string, method: string, ...args: xdr.ScVal[]): Promise<AssembledTransaction<T>> {
  return AssembledTransaction.build<T>({ ...options, contractId, method, args, parseResultXdr: (result) => scValToNative(result) as T });
}

/** What an account has for fees, in stroops; 0 if there is no such account. */
export function xlmBalance({ server, cache }: Chain, account: string): Promise<bigint> {
  return cache.read(
    `XLM ${balanceOf(account)}`,
    async () => {
      try {
        return (await server.getAccountEntry(account)).balance;
      } catch (error) {
        if (error instanceof Error && /not found/i.test(error.message)) return 0n;
        throw error;
      }
    },
    () => ({ about: [balanceOf(account)] }),
  );
}

/** Whether the token is the network's own money, in which fees are paid as well. */
export const isXlm = ({ network }: Chain, { contractId }: Token) => contractId === Asset.native().contractId(network.passphrase);

/** The domain that an issuer's account names as its own; empty if it names none. Nobody has checked it. */
export async function homeDomain({ server }: Chain, issuer: string): Promise<string> {
  return cleanText((await server.getAccountEntry(issuer)).homeDomain.toString(), 64);
}
