// One contract: what everyone knows of it is read first, then its views can be shown.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Config } from "../../client/src/index.js";
import { Chain } from "../chain/chain.js";
import { openToken, type Token } from "../chain/token.js";
import { LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { recall, remember } from "../person/memory.js";
import { forgetPlace, type Place } from "../person/place.js";
import { SessionContext, type Session } from "../person/session.js";
import { useSigning } from "../signing/signing.js";
import { useWallet } from "../wallet/connection.js";
import { readNeighbours } from "../wallet/playKey.js";
import type { Words } from "../words/en.js";
import { Format, shortAddress } from "../words/format.js";
import { Shell } from "./Shell.js";

interface Props {
  place: Place;
  words: Words;
  locale: string;
  picker: ComponentChildren;
}

/** What is read before anything can be shown. */
interface ContractInfo {
  config: Config;
  token: Token;
  /** By how many seconds the ledger's clock is ahead. */
  skew: number;
}

export function Community({ place, words, locale, picker }: Props) {
  const chain = useMemo(() => new Chain(place), [place]);
  const info = useLoad<ContractInfo>(async () => {
    const [config, skew] = await Promise.all([chain.config(), chain.clockSkew()]);
    return { config, token: await openToken(chain, config.token_contract), skew };
  }, chain);
  if (info.value) return <Ready chain={chain} info={info.value} words={words} locale={locale} picker={picker} />;
  return (
    <>
      <header class="top">
        <span class="brand">{words.title}</span>
        {picker}
      </header>
      <main class="stack">
        <h1>{words.contract.title}</h1>
        <LoadedView of={info} words={words}>
          {() => null}
        </LoadedView>
        <button type="button" class="plain" onClick={forgetPlace}>
          {words.contract.other}
        </button>
      </main>
    </>
  );
}

const NAMES = "names";
/** After so many milliseconds the ledger's clock is asked again, and with it everything that is shown. */
const REFRESH = 30_000;
/** On a network where a day may take a minute. */
const REFRESH_PLAYING = 5_000;

type ReadyProps = { chain: Chain; info: ContractInfo } & Omit<Props, "place">;

function Ready({ chain, info: { config, token, skew: firstSkew }, words, locale, picker }: ReadyProps) {
  const format = useMemo(() => new Format(locale), [locale]);
  const [version, setVersion] = useState(0);
  const [skew, setSkew] = useState(firstSkew);
  const [ownNames, setNames] = useState<Record<string, string>>(() => recall(NAMES) ?? {});
  const [neighbours, setNeighbours] = useState<Record<string, string>>({});
  const names = { ...neighbours, ...ownNames };
  const { wallet, connect, elsewhere } = useWallet(chain.network);
  const plays = wallet?.kind === "play";
  const me = wallet?.address;
  const refresh = () =>
    chain.clockSkew().then(
      (skew) => {
        setSkew(skew);
        setVersion((version) => version + 1);
      },
      () => undefined,
    );
  const signing = useSigning({
    chain,
    tokenId: token.contractId,
    wallet,
    refresh: () => void refresh(),
  });

  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") void refresh();
    };
    const timer = setInterval(look, plays ? REFRESH_PLAYING : REFRESH);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [chain, plays]);

  useEffect(() => {
    if (plays) readNeighbours().then(setNeighbours, () => undefined);
  }, [plays]);

  const session: Session = {
    chain,
    config,
    token,
    words,
    format,
    wallet,
    me,
    connect,
    now: BigInt(Math.floor(Date.now() / 1000 + skew)),
    version,
    act: signing.start,
    names,
    setName(address, name) {
      const others = Object.entries(ownNames).filter(([named]) => named !== address);
      const changed = Object.fromEntries(name ? [...others, [address, name]] : others);
      remember(NAMES, changed);
      setNames(changed);
    },
    nameOf(address) {
      if (address === me) return words.common.you;
      if (address === chain.contractId) return words.common.contractName;
      const name = names[address] ?? (address === config.admin ? words.common.admin : undefined);
      return name ? `${name} (${shortAddress(address)})` : shortAddress(address);
    },
  };
  return (
    <SessionContext.Provider value={session}>
      <Shell picker={picker} signing={signing} elsewhere={elsewhere} />
    </SessionContext.Provider>
  );
}
