// Where the person has to look while a wallet is asked for a signature.

import { useSession } from "../person/session.js";
import type { Wallet } from "../wallet/wallet.js";

export function InWallet({ wallet: { kind, asksElsewhere } }: { wallet: Wallet }) {
  const { words } = useSession();
  if (!asksElsewhere) return null;
  const { link, app } = asksElsewhere;
  return (
    <>
      <p class="hint">{kind === "walletConnect" ? words.sign.inApp : words.sign.inWallet}</p>
      {link && app && (
        <a class="button" href={link}>
          {words.wallet.openApp(app)}
        </a>
      )}
    </>
  );
}
