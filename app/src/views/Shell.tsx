// The frame of every view: the way around, warnings, and the dialog for signing.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { readActivity, type Activity } from "../chain/activity.js";
import { AsOf, Notice } from "../parts/basics.js";
import { later } from "../parts/later.js";
import { Icon } from "../parts/icons.js";
import { useLoad, type Loaded } from "../parts/load.js";
import { canRemember } from "../person/memory.js";
import { href, readView, type View } from "../person/place.js";
import { useSession } from "../person/session.js";
import { SigningBanner } from "../signing/SigningBanner.js";
import { SigningDialog } from "../signing/SigningDialog.js";
import type { Signing } from "../signing/signing.js";
import type { Words } from "../words/en.js";
import { Home } from "./Home.js";
import { tasksIn } from "./Todo.js";

const Admin = later(() => import("./Admin.js").then(({ Admin }) => Admin));
const Agreement = later(() => import("./Agreement.js").then(({ Agreement }) => Agreement));
const Agreements = later(() => import("./Agreements.js").then(({ Agreements }) => Agreements));
const Approval = later(() => import("../signing/ApprovalView.js").then(({ ApprovalView }) => ApprovalView));
const History = later(() => import("./History.js").then(({ History }) => History));
const Members = later(() => import("./Members.js").then(({ Members }) => Members));
const Offer = later(() => import("./Offer.js").then(({ Offer }) => Offer));
const SecondSignature = later(() => import("../signing/SecondSignature.js").then(({ SecondSignature }) => SecondSignature));
const Statement = later(() => import("./Statement.js").then(({ Statement }) => Statement));

interface Props {
  picker: ComponentChildren;
  signing: Signing;
  elsewhere: boolean;
  /** When the page has looked for changes the last time, if it cannot now. */
  asOf: Date | undefined;
}

export function Shell({ picker, signing, elsewhere, asOf }: Props) {
  const { words, me = "", config, chain, wallet, names, now, version } = useSession();
  const [view, setView] = useState(() => readView(location.hash));
  const main = useRef<HTMLElement>(null);
  // What waits for the person is read for Home. From then on the tab's title tells it, whatever is shown.
  const watches = useRef(false);
  watches.current ||= view.name === "home";
  const activity = useLoad(
    () => (watches.current && me ? readActivity(chain, me) : Promise.resolve(undefined)),
    `${me} ${watches.current}`,
    version,
  );
  const tasks = activity.value ? tasksIn(activity.value, me, chain.contractId, now) : [];
  const title = `${tasks.length > 0 ? `(${tasks.length}) ` : ""}${titleOf(view, words)} – ${words.title}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
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
        {view.name === "home" && !canRemember() && <Notice kind="info">{words.wallet.forgets}</Notice>}
        <SigningBanner signing={signing} />
        {asOf && (
          <Notice kind="warning">
            <AsOf at={asOf} />
          </Notice>
        )}
        <Page view={view} activity={activity} />
      </main>
      <SigningDialog signing={signing} />
    </>
  );
}

/** Where a link leads that was cut or mistyped. */
function Nowhere() {
  const { words } = useSession();
  return (
    <>
      <h1>{words.nowhere.title}</h1>
      <p>{words.nowhere.advice}</p>
      <a href={href({ name: "home" })}>{words.nav.home}</a>
    </>
  );
}

function titleOf(view: View, words: Words): string {
  switch (view.name) {
    case "home":
      return words.nav.home;
    case "agreement":
      return words.agreement.title(String(view.id));
    case "sign":
      return words.share.title;
    case "approve":
      return words.approval.title;
    default:
      return words[view.name].title;
  }
}

function Page({ view, activity }: { view: View; activity: Loaded<Activity | undefined> }) {
  switch (view.name) {
    case "home":
      return <Home activity={activity} />;
    case "agreements":
      return <Agreements />;
    case "agreement":
      return <Agreement id={view.id} called={view.called} />;
    case "offer":
      return <Offer to={view.consumer} called={view.called} />;
    case "history":
      return <History />;
    case "members":
      return <Members />;
    case "statement":
      return <Statement month={view.month} neighbour={view.neighbour} />;
    case "admin":
      return <Admin />;
    case "sign":
      return <SecondSignature key={view.entry} entry={view.entry} />;
    case "approve":
      return <Approval key={view.envelope} envelope={view.envelope} />;
    case "nowhere":
      return <Nowhere />;
  }
}
