// Where the relay is. It also makes the content security policy: see vite.config.ts.

export const RELAY = "wss://relay.walletconnect.org";
