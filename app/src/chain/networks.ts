// The networks that this page talks to. Their addresses also make the content security policy: see vite.config.ts.

export interface Network {
  name: string;
  passphrase: string;
  rpcUrl: string;
  /** They are asked in this order when the first one does not answer. */
  otherRpcUrls?: readonly string[];
  /** The service that funds accounts where money is worth nothing. */
  friendbotUrl?: string;
  /** Where everyone can look at a transaction: its hash follows. */
  explorerUrl?: string;
}

/** What whoever builds the page may set: the names of its networks, and RPCs in place of the public ones. Names and addresses are separated by spaces. */
export interface Settings {
  VITE_NETWORKS?: string;
  VITE_MAINNET_RPC?: string;
  VITE_TESTNET_RPC?: string;
}

const STANDALONE = "Standalone Network ; February 2017";

const known: readonly Network[] = [
  {
    name: "testnet",
    passphrase: "Test SDF Network ; September 2015",
    rpcUrl: "https://soroban-testnet.stellar.org",
    otherRpcUrls: ["https://soroban-rpc.testnet.stellar.gateway.fm"],
    friendbotUrl: "https://friendbot.stellar.org",
    explorerUrl: "https://stellar.expert/explorer/testnet/tx/",
  },
  {
    name: "mainnet",
    passphrase: "Public Global Stellar Network ; September 2015",
    rpcUrl: "https://mainnet.sorobanrpc.com",
    explorerUrl: "https://stellar.expert/explorer/public/tx/",
    otherRpcUrls: ["https://rpc.lightsail.network"],
  },
  {
    name: "local",
    passphrase: STANDALONE,
    rpcUrl: "http://localhost:8000/rpc",
    friendbotUrl: "http://localhost:8000/friendbot",
  },
];

/** The networks of a page that is built with these settings. */
export function configured(settings: Settings = {}): readonly Network[] {
  const names = listed(settings.VITE_NETWORKS);
  const unknown = names.find((name) => !known.some((network) => network.name === name));
  if (unknown !== undefined) throw new Error(`VITE_NETWORKS: there is no network ${unknown}`);
  const own: Record<string, string[]> = { mainnet: listed(settings.VITE_MAINNET_RPC), testnet: listed(settings.VITE_TESTNET_RPC) };
  return known
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((network) => {
      const [rpcUrl, ...otherRpcUrls] = own[network.name] ?? [];
      return rpcUrl ? { ...network, rpcUrl, otherRpcUrls } : network;
    });
}

function listed(text = ""): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/** The name of the network with that passphrase, whether this page is for it or not. */
export const networkName = (passphrase: string): string | undefined => known.find((network) => network.passphrase === passphrase)?.name;

/** A page on this machine may find the network `local` at any of these, since its port is free to choose. */
const loopback = ["http://localhost:*", "http://127.0.0.1:*"];

/** All that a page with these networks may talk to, as the content security policy lists it. */
export function connectSources(networks: readonly Network[]): string[] {
  const urls = networks
    .filter(({ name }) => name !== "local")
    .flatMap(({ rpcUrl, otherRpcUrls = [], friendbotUrl = rpcUrl }) => [rpcUrl, ...otherRpcUrls, friendbotUrl]);
  const insecure = urls.find((url) => !URL.canParse(url) || new URL(url).protocol !== "https:");
  if (insecure !== undefined) throw new Error(`${insecure} is not an address that begins with https://`);
  const hosts = [...new Set(urls.map((url) => new URL(url).origin))];
  return networks.some(({ name }) => name === "local") ? [...hosts, ...loopback] : hosts;
}

export const networks = configured((import.meta as { env?: Settings }).env);

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
