// Wallets on phones, by WalletConnect: Freighter and LOBSTR. What speaks the protocol is loaded when such a wallet is chosen.

import type { Network } from "../chain/networks.js";
import { loadPart } from "../parts/loadPart.js";
import { recall, remember } from "../person/memory.js";
import { isShape, isText, isWhole, maybe, type Is } from "../person/shapes.js";
import { Problem } from "../words/problem.js";
import { isPhone } from "./device.js";
import type { Connector, Wallet } from "./wallet.js";
import type { SavedSession, Session } from "./walletConnect/session.js";

/** By this the relay knows who publishes the page; without it, the relay serves nobody. */
const PROJECT_ID = (import.meta.env.VITE_WALLETCONNECT_PROJECT_ID as string | undefined) ?? "";

const chains: Record<string, string> = { mainnet: "stellar:pubnet", testnet: "stellar:testnet" };

/** The apps that a phone can open, by the links that they have registered, and where the stores have them. */
export const apps = {
  freighter: {
    name: "Freighter",
    link: "freighterwallet://wc-redirect",
    ios: "https://apps.apple.com/app/freighter/id6743947720",
    android: "https://play.google.com/store/apps/details?id=org.stellar.freighterwallet",
  },
  lobstr: {
    name: "LOBSTR",
    link: "https://lobstr.co/uni/wc",
    ios: "https://apps.apple.com/app/id1404357892",
    android: "https://play.google.com/store/apps/details?id=com.lobstr.client",
  },
} as const;

export type AppName = keyof typeof apps;

/** Opens a wallet's app with the code of a pairing. */
export const pairingLink = (app: AppName, uri: string) => `${apps[app].link}/wc?uri=${encodeURIComponent(uri)}`;

interface Remembered {
  session: SavedSession;
  app?: AppName;
}

const KEY = "WalletConnect";
const APP = "WalletConnect app";

const isApp: Is<AppName> = (name): name is AppName => isText(name) && Object.hasOwn(apps, name);

const isSession = isShape<SavedSession>({
  identity: isText,
  key: isText,
  chain: isText,
  address: isText,
  methods: (methods) => Array.isArray(methods) && methods.every(isText),
  expiry: isWhole,
});

const isRemembered = isShape<Remembered>({ session: isSession, app: maybe(isApp) });

function recallApp(): AppName | undefined {
  const app = recall(APP, "tab");
  return isApp(app) ? app : undefined;
}

/** Remembers which app the person opened, so that the page can open it again for a signature. */
export const rememberApp = (app: AppName) => remember(APP, app, "tab");

export const walletConnect: Connector = {
  kind: "walletConnect",
  offered: ({ name }) => PROJECT_ID !== "" && name in chains,
  async connect(network, pairing) {
    remember(APP, undefined, "tab");
    const session = await (await protocol()).propose(PROJECT_ID, chainOf(network), pairing);
    const app = recallApp();
    if (session.saved) keep(session.saved, app);
    return open(session, app);
  },
  async reconnect(network) {
    const remembered = recall(KEY);
    if (!isRemembered(remembered) || remembered.session.chain !== chains[network.name]) return undefined;
    const session = (await protocol()).resume(PROJECT_ID, remembered.session);
    if (session) return open(session, remembered.app);
    remember(KEY, undefined);
    throw new Problem("walletGone");
  },
};

const protocol = () => loadPart(async () => (await import("./walletConnect/session.js")).Session);

function chainOf({ name }: Network): string {
  const chain = chains[name];
  if (!chain) throw new Problem("wrongNetwork");
  return chain;
}

const keep = (session: SavedSession, app: AppName | undefined) => remember(KEY, { session, app } satisfies Remembered);

function open(session: Session, app: AppName | undefined): Wallet {
  const { saved } = session;
  if (!saved) throw new Problem("walletGone");
  /** Another tab may have paired anew, or disconnected: what it has made of the memory stays. */
  const isKept = () => {
    const remembered = recall(KEY);
    return isRemembered(remembered) && remembered.session.key === saved.key;
  };
  const keepChanged = (changed: SavedSession) => isKept() && keep(changed, app);
  const forget = () => isKept() && remember(KEY, undefined);
  return {
    kind: "walletConnect",
    address: saved.address,
    asksElsewhere: isPhone && app ? { link: app === "freighter" ? apps.freighter.link : "lobstr://", app: apps[app].name } : {},
    async signTransaction(xdr) {
      const { signedXDR } = (await session.request("stellar_signXDR", { xdr })) as { signedXDR?: string };
      return { signedTxXdr: signedXDR ?? "", signerAddress: saved.address };
    },
    async signAuthEntry(entryXdr) {
      if (!saved.methods.includes("stellar_signAuthEntry")) throw new Problem("noEntries");
      const { signedAuthEntry } = (await session.request("stellar_signAuthEntry", { entryXdr })) as { signedAuthEntry?: string };
      return { signedAuthEntry: signedAuthEntry ?? "", signerAddress: saved.address };
    },
    check: () => (session.saved ? Promise.resolve() : Promise.reject(new Problem("walletGone"))),
    watch({ onWallet }) {
      session.events = {
        onEnd() {
          forget();
          onWallet(undefined);
        },
        onAccount(changed) {
          keepChanged(changed);
          onWallet(open(session, app));
        },
        onExtended: keepChanged,
      };
      return () => {
        session.events = {};
      };
    },
    disconnect() {
      forget();
      void session.end();
    },
  };
}
