// The networks that this page talks to. Their addresses also make the content security policy: see vite.config.ts.

export interface Network {
  name: string;
  passphrase: string;
  rpcUrl: string;
  /** Where accounts are funded for trying out. */
  friendbotUrl?: string;
}

export const networks: readonly Network[] = [
  {
    name: "testnet",
    passphrase: "Test SDF Network ; September 2015",
    rpcUrl: "https://soroban-testnet.stellar.org",
    friendbotUrl: "https://friendbot.stellar.org",
  },
  {
    name: "mainnet",
    passphrase: "Public Global Stellar Network ; September 2015",
    rpcUrl: "https://mainnet.sorobanrpc.com",
  },
  {
    name: "local",
    passphrase: "Standalone Network ; February 2017",
    rpcUrl: "http://localhost:8000/rpc",
    friendbotUrl: "http://localhost:8000/friendbot",
  },
];

/** Where a page on this machine may find the network `local`, at whatever port. */
export const loopback = ["http://localhost:*", "http://127.0.0.1:*"];

const onLoopback = (url: URL) => url.protocol === "http:" && ["localhost", "127.0.0.1"].includes(url.hostname);

/** The network of that name. A link may move the local one to another port, and no other anywhere: an RPC can lie about what it shows. */
export function findNetwork(name: string, rpcUrl?: string | null): Network | undefined {
  const network = networks.find((known) => known.name === name);
  if (!network || network.name !== "local" || !rpcUrl || !URL.canParse(rpcUrl)) return network;
  const url = new URL(rpcUrl);
  return onLoopback(url) ? { ...network, rpcUrl: url.href, friendbotUrl: new URL("/friendbot", url).href } : network;
}
