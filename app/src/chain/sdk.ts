// A chain with the SDK's server and the generated client, which build, simulate and send what is signed. Reading does without: with them the page is
// twice as large, so what imports this module is loaded when it is needed.

import { rpc } from "@stellar/stellar-sdk";
import { AssembledTransaction } from "@stellar/stellar-sdk/contract";
import { Client } from "../../client/src/index.js";
import { messageOf, Problem, translators } from "../words/problem.js";
import type { Chain } from "./chain.js";
import type { Asked } from "./requests.js";
import { readable } from "./simulation.js";

export interface SigningChain extends Chain {
  readonly server: rpc.Server;
  /** It builds calls, for whoever is given as `publicKey`. */
  readonly client: Client;
}

const known = new WeakMap<Chain, SigningChain>();

/** The same chain: what one of both has read is known to the other. */
export function withSdk(chain: Chain): SigningChain {
  const made = known.get(chain) ?? make(chain);
  known.set(chain, made);
  return made;
}

function make(chain: Chain): SigningChain {
  const { contractId, requests, network } = chain;
  const { rpcUrl, passphrase: networkPassphrase } = network;
  const allowHttp = rpcUrl.startsWith("http:");
  const server = readable(new rpc.Server(rpcUrl, { allowHttp }));
  // The server gives the address with each request: that of the RPC which answers is known to the requests alone.
  Object.assign(server.httpClient, { post: async (_: string, body: Asked) => ({ data: await requests.post(body) }) });
  const client = new Client({ contractId, rpcUrl, networkPassphrase, allowHttp, server });
  return Object.assign(Object.create(chain) as Chain, { server, client });
}

const { UserRejected, InternalWalletError, ExternalServiceError, InvalidClientRequest, ExpiredState } = AssembledTransaction.Errors;

translators.push((thrown) => {
  if (thrown instanceof UserRejected) return new Problem("rejected");
  if ([InternalWalletError, ExternalServiceError, InvalidClientRequest].some((kind) => thrown instanceof kind))
    return new Problem("walletFailed", messageOf(thrown));
  return thrown instanceof ExpiredState ? new Problem("archived") : undefined;
});
