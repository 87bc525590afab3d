// One contract: what everyone knows of it is read first, then its views can be shown.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Config } from "../../client/src/index.js";
import { Chain, skewOf } from "../chain/chain.js";
import { openToken, type Token } from "../chain/token.js";
import { Watch } from "../chain/watch.js";
import { LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { Outside } from "../parts/Outside.js";
import { recall, remember } from "../person/memory.js";
import { keepNames, named, readNames, type Names } from "../person/names.js";
import { forgetPlace, type Place } from "../person/place.js";
import { keepReceipt } from "../person/receipts.js";
import { SessionContext, type Session } from "../person/session.js";
import { useSigning } from "../signing/signing.js";
import { fetchTools } from "../signing/toolbox.js";
import { useWallet } from "../wallet/connection.js";
import { readNeighbours } from "../wallet/playKey.js";
import { fetchChecks } from "../wallet/wallet.js";
import type { Words } from "../words/en.js";
import { Format, shortAddress } from "../words/format.js";
import { languageTags } from "../words/words.js";
import { Shell } from "./Shell.js";

interface Props {
  place: Place;
  /** Called when there is such a contract. */
  onRead: () => void;
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
  watch: Watch;
}

async function readInfo(chain: Chain): Promise<ContractInfo> {
  // Changes are looked for from this ledger on, so it is asked for before anything else is read.
  const { sequence, closeTime } = await chain.rpc.latestLedger();
  const config = await chain.config();
  const watch = new Watch(chain, config.token_contract, sequence);
  return { config, token: await openToken(chain, config.token_contract), skew: skewOf(closeTime), watch };
}

export function Community({ place, onRead, words, locale, picker }: Props) {
  const chain = useMemo(() => new Chain(place, { recall, remember }), [place]);
  // This is asked beside what is read, which waits for it only before it says what is wrong: on another network there is no such contract.
  const network = useLoad(() => chain.requests.checkNetwork().then(() => true), chain);
  const read = useLoad<ContractInfo>(async () => {
    try {
      return await readInfo(chain);
    } catch (error) {
      await chain.requests.checkNetwork();
      throw error;
    }
  }, chain);
  const info = network.problem ? { problem: network.problem, reload: () => location.reload() } : read;
  const isRead = network.value !== undefined && info.value !== undefined;
  useEffect(() => {
    if (isRead) onRead();
  }, [isRead]);
  if (info.value) return <Ready chain={chain} info={info.value} words={words} locale={locale} picker={picker} />;
  return (
    <Outside title={words.contract.title} words={words} picker={picker}>
      <LoadedView of={info} words={words}>
        {() => null}
      </LoadedView>
      <button type="button" class="plain" onClick={forgetPlace}>
        {words.contract.other}
      </button>
    </Outside>
  );
}

/** After so many milliseconds the page looks again whether something has changed. */
const REFRESH = 30_000;
/** On a network where a day may take a minute. */
const REFRESH_PLAYING = 5_000;

type ReadyProps = { chain: Chain; info: ContractInfo } & Omit<Props, "place" | "onRead">;

function Ready({ chain, info: { config, token, skew: firstSkew, watch }, words, locale, picker }: ReadyProps) {
  const format = useMemo(() => new Format(locale, languageTags()), [locale]);
  const [version, setVersion] = useState(0);
  const [skew, setSkew] = useState(firstSkew);
  const [ownNames, setOwnNames] = useState(readNames);
  const [neighbours, setNeighbours] = useState<Names>({});
  const [done, setDone] = useState<Session["done"]>();
  const names = { ...neighbours, ...ownNames };
  const { wallet, connect, connecting, lost, elsewhere } = useWallet(chain.network);
  const plays = wallet?.kind === "play";
  const me = wallet?.address;
  const seenAt = useRef(new Date());
  const [asOf, setAsOf] = useState<Date>();
  const readAgain = () => setVersion((version) => version + 1);
  const refresh = (acted = false) =>
    watch.look(me).then(
      ({ skew, changed }) => {
        seenAt.current = new Date();
        setAsOf(undefined);
        setSkew(skew);
        if (changed || acted) readAgain();
      },
      () => {
        setAsOf(seenAt.current);
        if (acted) readAgain();
      },
    );
  const now = BigInt(Math.floor(Date.now() / 1000 + skew));
  const signing = useSigning({
    chain,
    config,
    wallet,
    now,
    refresh() {
      // An own call changes what no event tells of, such as the fee.
      chain.cache.forgetAll();
      void refresh(true);
    },
    onDone({ call, hash, source }, receipt) {
      // A link may bring what another account has signed and pays.
      if (source === me) keepReceipt(chain.contractId, call, { ...receipt, hash });
      setDone((before) => ({ call, receipt, number: (before?.number ?? 0) + 1 }));
    },
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
  }, [chain, plays, me]);

  useEffect(() => {
    if (!me) return;
    fetchTools();
    fetchChecks();
  }, [me]);

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
    connecting,
    lost,
    now,
    version,
    done,
    act: signing.start,
    names,
    ownNames,
    setNames(names) {
      keepNames(names);
      setOwnNames(names);
    },
    nameOf(address, as) {
      const { you, youDative, contractName, contractDative } = words.common;
      if (address === me) return as ? youDative : you;
      if (address === chain.contractId) return as ? contractDative : contractName;
      const name = names[address] ?? (address === config.admin ? words.common.admin : undefined);
      return name ? named(name, address) : shortAddress(address);
    },
  };
  return (
    <SessionContext.Provider value={session}>
      <Shell picker={picker} signing={signing} elsewhere={elsewhere} asOf={asOf} />
    </SessionContext.Provider>
  );
}
