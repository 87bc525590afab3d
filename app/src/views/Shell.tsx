// The frame of every view: the way around, warnings, and the dialog for signing.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AsOf, Notice } from "../parts/basics.js";
import { later } from "../parts/later.js";
import { Icon } from "../parts/icons.js";
import { href, readView, type View } from "../person/place.js";
import { useSession } from "../person/session.js";
import { SecondSignature } from "../signing/SecondSignature.js";
import { SigningBanner } from "../signing/SigningBanner.js";
import { SigningDialog } from "../signing/SigningDialog.js";
import type { Signing } from "../signing/signing.js";
import { Agreement } from "./Agreement.js";
import { Agreements } from "./Agreements.js";
import { Home } from "./Home.js";
import { Offer } from "./Offer.js";

const Admin = later(() => import("./Admin.js").then(({ Admin }) => Admin));
const History = later(() => import("./History.js").then(({ History }) => History));

interface Props {
  picker: ComponentChildren;
  signing: Signing;
  elsewhere: boolean;
  /** When the page has looked for changes the last time, if it cannot now. */
  asOf: Date | undefined;
}

export function Shell({ picker, signing, elsewhere, asOf }: Props) {
  const { words, me = "", config, chain, wallet, names } = useSession();
  const [view, setView] = useState(() => readView(location.hash));
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const follow = () => {
      setView(readView(location.hash));
      // A screen reader goes on where the new view begins.
      main.current?.focus();
      scrollTo(0, 0);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  const items = ["home", "agreements", "offer", "history", ...(me === config.admin ? (["admin"] as const) : [])] as const;
  return (
    <>
      <header class="top">
        <a class="skip" href={location.hash || "#/home"} onClick={skip}>
          {words.skip}
        </a>
        <a class="brand" href={href({ name: "home" })}>
          {words.title}
        </a>
        {picker}
      </header>
      <nav class="main" aria-label={words.nav.label}>
        {items.map((name) => (
          <a
            key={name}
            href={href(name === "offer" ? { name, consumer: "" } : { name })}
            aria-current={name === view.name || (name === "agreements" && view.name === "agreement") ? "page" : undefined}
          >
            <Icon name={name} />
            {words.nav[name]}
          </a>
        ))}
      </nav>
      <main ref={main} tabIndex={-1} class="stack">
        {wallet?.kind === "play" && <Notice kind="warning">{words.wallet.plays(names[me])}</Notice>}
        {elsewhere && <Notice kind="warning">{words.wallet.wrongNetwork(words.start.networks[chain.network.name] ?? chain.network.name)}</Notice>}
        <SigningBanner signing={signing} />
        {asOf && (
          <Notice kind="warning">
            <AsOf at={asOf} />
          </Notice>
        )}
        <Page view={view} />
      </main>
      <SigningDialog signing={signing} />
    </>
  );
}

function Page({ view }: { view: View }) {
  switch (view.name) {
    case "home":
      return <Home />;
    case "agreements":
      return <Agreements />;
    case "agreement":
      return <Agreement id={view.id} />;
    case "offer":
      return <Offer to={view.consumer} />;
    case "history":
      return <History />;
    case "admin":
      return <Admin />;
    case "sign":
      return <SecondSignature entry={view.entry} />;
  }
}
