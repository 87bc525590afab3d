// What two neighbours traded in a month, for paper: who, how much, at which price, what is due and until when.

import { TransactionStatus } from "../../client/src/index.js";
import { readRows } from "../chain/activity.js";
import { placeOf } from "../contract/describe.js";
import { Button, Facts, LoadedView, NoAccount } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { inMonth, monthSpan, sumOf, type Row } from "../person/books.js";
import { readOwnName } from "../person/names.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

/** A bill without a deposit is asked for within so many days after its month. The contract itself sets no day. */
const DAYS_TO_PAY = 14;

interface Props {
  month: string;
  neighbour: string;
}

export function Statement(props: Props) {
  const { words, me } = useSession();
  return (
    <>
      <a class="back" href={href({ name: "history" })}>
        {words.common.back}
      </a>
      {me ? <Reading {...props} me={me} /> : <NoAccount />}
    </>
  );
}

function Reading({ month, neighbour, me }: Props & { me: string }) {
  const { chain, words, version } = useSession();
  const loaded = useLoad(() => readRows(chain, me), me, version);
  return (
    <LoadedView of={loaded} words={words}>
      {(rows) => {
        const some = inMonth(rows, month).filter((row) => row.neighbour === neighbour);
        return some.length === 0 ? <p class="empty">{words.history.none}</p> : <Paper rows={some} month={month} neighbour={neighbour} me={me} />;
      }}
    </LoadedView>
  );
}

function Paper({ rows, month, neighbour, me }: Props & { rows: Row[]; me: string }) {
  const { chain, words, format, now } = useSession();
  const say = words.statement;
  const { start, end } = monthSpan(month);
  const last = new Date(end.getFullYear(), end.getMonth(), 0);
  return (
    <article class="statement card stack">
      <h1>{say.heading(format.month(start))}</h1>
      <Facts
        facts={[
          [say.period, `${format.day(start)} – ${format.day(last)} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`],
          [say.you, <Party address={me} name={readOwnName()} />],
          [say.neighbour, <Party address={neighbour} />],
          [say.contract, <code class="address">{chain.contractId}</code>],
          [say.made, format.dateTime(now)],
        ]}
      />
      {(["bought", "sold"] as const).map((role) => {
        const some = rows.filter((row) => row.role === role);
        return some.length > 0 && <Trade key={role} role={role} rows={some} end={end} />;
      })}
      <p class="hint">{say.sourceHint}</p>
      <div class="screen-only">
        <Button kind="primary" onClick={() => print()}>
          {say.print}
        </Button>
      </div>
    </article>
  );
}

function Party({ address, name }: { address: string; name?: string }) {
  const { names } = useSession();
  const known = name ?? names[address];
  return (
    <>
      {known && <strong>{known}</strong>}
      <code class="address">{address}</code>
    </>
  );
}

function Trade({ role, rows, end }: { role: Row["role"]; rows: Row[]; end: Date }) {
  const { words, format, token } = useSession();
  const say = words.statement;
  const { boughtKwh, soldKwh, paid, received, toPay, toReceive, disputed } = sumOf(rows);
  const bill = rows.filter(({ transaction, deposited }) => transaction.status === TransactionStatus.Delivered && !deposited);
  const due = bill.reduce((sum, { transaction }) => sum + transaction.payment_amount, 0n);
  const settled = paid + received;
  const inDeposit = toPay + toReceive - due;
  const until = new Date(end.getFullYear(), end.getMonth(), DAYS_TO_PAY);
  const amount = (value: bigint) => format.amount(value, token);
  return (
    <section class="stack">
      <h2>{role === "bought" ? say.bought : say.sold}</h2>
      <div class="table" role="region" aria-label={role === "bought" ? say.bought : say.sold} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {[say.day, say.transaction, say.delivered, say.accepted, say.price, say.amount, say.status].map((head) => (
                <th scope="col" key={head}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ transaction, price, acceptedKwh }) => {
              const { agreement, delivery } = placeOf(transaction.transaction_id);
              // Nothing of it is accepted, and no amount is due, before a ruling: what it comes to is told below.
              const isDisputed = transaction.status === TransactionStatus.Disputed;
              return (
                <tr key={String(transaction.transaction_id)}>
                  <th scope="row">{format.dayTime(transaction.delivered_at)}</th>
                  <td>{`${agreement} / ${delivery}`}</td>
                  <td>{format.kwh(transaction.energy_delivered_kwh)}</td>
                  <td>{isDisputed ? "–" : format.kwh(acceptedKwh)}</td>
                  <td>{amount(price)}</td>
                  <td>{isDisputed ? "–" : amount(transaction.payment_amount)}</td>
                  <td>{say.statusOf[transaction.status]}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{words.history.sum}</th>
              <td />
              <td>{format.kwh(rows.reduce((sum, { transaction }) => sum + transaction.energy_delivered_kwh, 0n))}</td>
              <td>{format.kwh(boughtKwh + soldKwh)}</td>
              <td />
              <td>{amount(settled + toPay + toReceive)}</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
      <Facts
        facts={[
          [say.settled, amount(settled)],
          inDeposit > 0n && [say.inDeposit, amount(inDeposit)],
          disputed > 0n && [say.disputed, amount(disputed)],
          [say.due, <strong data-due>{amount(due)}</strong>],
          due > 0n && [say.until, <strong>{format.day(until)}</strong>],
        ]}
      />
      {due > 0n && <p class="hint">{say.untilHint}</p>}
    </section>
  );
}
