// What a call moves, by the words of every token that it touches; what speaks against signing it; and whom it names.

import type { ComponentChildren } from "preact";
import type { Call } from "../contract/calls.js";
import { Facts, LoadedView, Notice, WholeAddress } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { isAddress } from "../person/names.js";
import { useSession, type Session } from "../person/session.js";
import { groupsOfFour, shortAddress, XLM } from "../words/format.js";
import type { Partners } from "./partners.js";
import type { Move, Refusal, Verdict } from "./review.js";
import { toolsFor } from "./toolbox.js";

export function Moves({ verdict: { moves, refusals } }: { verdict: Verdict }) {
  const { words, format, token, nameOf } = useSession();
  const refused = refusals.flatMap((refusal) => (refusal.kind === "move" ? [refusal.move] : []));
  const shown = moves.filter((move) => !refused.includes(move));
  return (
    <>
      {refusals.length > 0 && <Refused refusals={refusals} />}
      <Facts
        facts={[
          [
            words.sign.moves,
            shown.length > 0 ? (
              <ul class="moves">
                {shown.map(({ from, to, amount }) => (
                  <li key={from + to}>{words.sign.move(format.amount(amount, token), nameOf(from, "dative"), nameOf(to))}</li>
                ))}
              </ul>
            ) : (
              words.sign.nothingMoves
            ),
          ],
        ]}
      />
    </>
  );
}

function Refused({ refusals }: { refusals: Refusal[] }) {
  const session = useSession();
  const { review } = session.words;
  return (
    <Notice kind="problem">
      <p>
        <strong>{review.refused}</strong>
      </p>
      <ul class="moves">
        {refusals.map((refusal, index) => (
          <li key={index}>{refusalText(refusal, session)}</li>
        ))}
      </ul>
      <p>{review.warn}</p>
    </Notice>
  );
}

function refusalText(refusal: Refusal, session: Session): string {
  const { review, common } = session.words;
  switch (refusal.kind) {
    case "move": {
      const { kind, from, to } = refusal.move;
      const name = (address: string) => (address === session.me ? common.you : grouped(address));
      return review.moves[kind](amountText(refusal.move, session), name(from), name(to));
    }
    case "call":
      return review.call(refusal.name, grouped(refusal.contractId));
    case "signer":
      return review.signer(grouped(refusal.address));
  }
}

const grouped = (address: string) => groupsOfFour(address).join(" ");

function amountText({ token: id, code, amount }: Move, { words: { review }, format, token }: Session): string {
  if (id === token.contractId) return format.amount(amount, token);
  // An asset of the network has as many decimals as XLM.
  if (code) return code === XLM.symbol ? format.amount(amount, XLM) : review.of(format.amount(amount, { ...XLM, symbol: code }), grouped(id));
  return review.unknownAmount(format.number(amount), grouped(id));
}

interface PartiesProps {
  call: Call;
  other?: string;
  verdict?: Verdict;
  parties?: Partners;
}

/** The addresses that a call names, binds to each other and moves money between, each as a whole: a name is this person's, and two short forms may look alike. */
export function Parties({ call, other, verdict, parties: { partners, strangers } = { partners: [], strangers: [] } }: PartiesProps) {
  const { me, chain, nameOf, words } = useSession();
  const named = [...Object.values<unknown>(call.args), other, ...(verdict?.moves ?? []).flatMap(({ from, to }) => [from, to]), ...partners];
  const addresses = [...new Set(named.filter((value) => typeof value === "string" && isAddress(value)))] as string[];
  const others = addresses.filter((address) => address !== me && address !== chain.contractId);
  const rows = others.map((address): [string, ComponentChildren] => {
    const name = nameOf(address);
    return [name === shortAddress(address) ? name : name.replace(` (${shortAddress(address)})`, ""), <WholeAddress of={address} />];
  });
  return (
    <>
      <Facts facts={rows} />
      {strangers.length > 0 && <Notice kind="info">{words.sign.firstTime(strangers.map(shortAddress).join(", "))}</Notice>}
    </>
  );
}

/** The same of a call that is not reviewed yet. */
export function SharedParties({ call, other }: { call: Call; other: string }) {
  const { me, chain, words } = useSession();
  const loaded = useLoad(async () => (await toolsFor(chain)).partnersIn(chain, me, call, []), call, me);
  return (
    <>
      <Parties call={call} other={other} parties={loaded.value} />
      <LoadedView of={loaded} words={words}>
        {() => null}
      </LoadedView>
    </>
  );
}
