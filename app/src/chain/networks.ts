// The networks that this page talks to. Their addresses also make the content security policy: see vite.config.ts.

export interface Network {
  name: string;
  passphrase: string;
  rpcUrl: string;
  /** The service that funds accounts where money is worth nothing. */
  friendbotUrl?: string;
  /** Where everyone can look at a transaction: its hash follows. */
  explorerUrl?: string;
}

const STANDALONE = "Standalone Network ; February 2017";

export const networks: readonly Network[] = [
  {
    name: "testnet",
    passphrase: "Test SDF Network ; September 2015",
    rpcUrl: "https://soroban-testnet.stellar.org",
    friendbotUrl: "https://friendbot.stellar.org",
    explorerUrl: "https://stellar.expert/explorer/testnet/tx/",
  },
  {
    name: "mainnet",
    passphrase: "Public Global Stellar Network ; September 2015",
    rpcUrl: "https://mainnet.sorobanrpc.com",
    explorerUrl: "https://stellar.expert/explorer/public/tx/",
  },
  {
    name: "local",
    passphrase: STANDALONE,
    rpcUrl: "http://localhost:8000/rpc",
    friendbotUrl: "http://localhost:8000/friendbot",
  },
];

/** A page on this machine may find the network `local` at any of these, since its port is free to choose. */
export const loopback = ["http://localhost:*", "http://127.0.0.1:*"];

const onLoopback = (url: URL) => url.protocol === "http:" && ["localhost", "127.0.0.1"].includes(url.hostname);

/** A network of this machine, whose money is worth nothing: only there are keys taken from links. */
export const isPlayground = ({ passphrase, rpcUrl }: Network) =>
  passphrase === STANDALONE && onLoopback(new URL(rpcUrl));

/** The network of that name. A link may move the local one to another port, but no network anywhere else, since an RPC can lie about what it shows. */
export function findNetwork(name: string, rpcUrl?: string | null): Network | undefined {
  const network = networks.find((known) => known.name === name);
  if (!network || network.name !== "local" || !rpcUrl || !URL.canParse(rpcUrl)) return network;
  const url = new URL(rpcUrl);
  return onLoopback(url) ? { ...network, rpcUrl: url.href, friendbotUrl: new URL("/friendbot", url).href } : network;
}
