// Connects a wallet: what works on this device and network is offered, and where to get one is said.

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Connecting, CopyButton, Notice, ProblemText } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { connectors } from "../wallet/connection.js";
import { isPhone } from "../wallet/device.js";
import type { Connector } from "../wallet/wallet.js";
import { apps, pairingLink, rememberApp, walletConnect, type AppName } from "../wallet/walletConnect.js";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";
import { QrCode } from "../parts/QrCode.js";

export function Connect() {
  const { chain, words, connect, connecting, lost } = useSession();
  const [busy, setBusy] = useState(false);
  const [code, setCode] = useState<string>();
  const [problem, setProblem] = useState<Problem | ContractProblem | undefined>(lost);
  const attempt = useRef<AbortController | undefined>(undefined);
  useEffect(() => setProblem(lost), [lost]);
  // Who goes to another view gives up.
  useEffect(() => () => attempt.current?.abort(), []);

  const connectBy = async (connector: Connector) => {
    attempt.current?.abort();
    const { signal } = (attempt.current = new AbortController());
    setBusy(true);
    setProblem(undefined);
    try {
      const wallet = await connector.connect(chain.network, { show: setCode, title: words.title, signal });
      // Some wallets do not hear that they were given up, and answer later.
      if (!signal.aborted) connect(wallet);
    } catch (error) {
      if (!signal.aborted) setProblem(problemOf(error));
    }
    if (attempt.current.signal !== signal) return;
    setBusy(false);
    setCode(undefined);
  };
  const giveUp = () => {
    attempt.current?.abort();
    setBusy(false);
    setCode(undefined);
  };

  const offered = connectors.filter(({ offered }) => offered(chain.network));
  if (connecting)
    return (
      <section class="card stack">
        <h2>{words.wallet.title}</h2>
        <Connecting />
      </section>
    );
  return (
    <section class="card stack">
      <h2>{words.wallet.title}</h2>
      <p>{words.wallet.lead}</p>
      {problem && (
        <Notice kind="problem">
          <ProblemText problem={problem} words={words} />
        </Notice>
      )}
      {busy && <p role="status">{code ? words.wallet.waitsForApp : words.wallet.connecting}</p>}
      {code ? (
        <Code code={code} giveUp={giveUp} />
      ) : (
        offered.map((connector, index) => {
          const { name, hint } = label(connector, words.wallet);
          return (
            <Button key={connector.kind} kind={index === 0 ? "primary" : "plain"} hint={hint} onClick={() => void connectBy(connector)}>
              {name}
            </Button>
          );
        })
      )}
      {!code && <WhereToGet />}
    </section>
  );
}

function label({ kind }: Connector, words: ReturnType<typeof useSession>["words"]["wallet"]): { name: string; hint?: string } {
  if (kind === "browser") return { name: words.browser, hint: words.browserHint };
  if (kind === "freighter") return { name: words.freighter };
  return isPhone ? { name: words.app, hint: words.appHint } : { name: words.phone, hint: words.phoneHint };
}

/** The code of a pairing: to be opened by an app of this phone, or scanned by that of another. */
function Code({ code, giveUp }: { code: string; giveUp: () => void }) {
  const { words } = useSession();
  return (
    <>
      {isPhone ? (
        (Object.keys(apps) as AppName[]).map((app) => (
          <a key={app} class="button" href={pairingLink(app, code)} onClick={() => rememberApp(app)}>
            {words.wallet.openApp(apps[app].name)}
          </a>
        ))
      ) : (
        <>
          <p>{words.wallet.scan}</p>
          <QrCode text={code} label={words.wallet.qr} />
        </>
      )}
      <div class="row">
        <CopyButton text={code}>{words.wallet.copyCode}</CopyButton>
        <Button onClick={giveUp}>{words.common.cancel}</Button>
      </div>
      {isPhone && <Stores />}
    </>
  );
}

/** Where this device gets a wallet that works here. */
function WhereToGet() {
  const { chain, words } = useSession();
  if (!isPhone)
    return (
      <p class="hint">
        {words.wallet.getExtension} <a href="https://www.freighter.app">freighter.app</a>
      </p>
    );
  return walletConnect.offered(chain.network) ? <Stores /> : <p class="hint">{words.wallet.noneOnPhones}</p>;
}

function Stores() {
  const { words } = useSession();
  return (
    <>
      <p class="hint">{words.wallet.getApp}</p>
      {Object.values(apps).map(({ name, ios, android }) => (
        <p key={name}>
          {name}: <a href={ios}>App Store</a>, <a href={android}>Google Play</a>
        </p>
      ))}
    </>
  );
}
