// What waits for the person, each with a link to where it is done; and reminders of it.

import type { Activity } from "../chain/activity.js";
import { placeOf } from "../contract/describe.js";
import { Button, saveFile } from "../parts/basics.js";
import { toCalendar, type Reminder } from "../person/calendar.js";
import { acceptedOffers, forgetWaiting, waitingFor } from "../person/inbox.js";
import { fullLink, href, type View } from "../person/place.js";
import { useSession, type Session } from "../person/session.js";
import { tasksOf, type Task } from "../person/todo.js";

/** A calendar rings so many minutes before something ends. */
const BEFORE_END = 120;
/** What has no end is reminded of after a day. */
const LATER = 86_400n;

export function tasksIn({ entries, deliveries }: Activity, me: string, contractId: string, now: bigint): Task[] {
  const accepted = acceptedOffers(
    contractId,
    entries.map(({ agreement }) => agreement.agreement_id),
  );
  return tasksOf({ me, entries, deliveries, accepted, waiting: waitingFor(contractId, me), now });
}

interface Shown {
  key: string;
  text: string;
  /** What happens when, in words. */
  note?: string;
  view: View;
}

function shown(task: Task, { words, format, token, now, nameOf }: Session): Shown {
  const say = words.todo;
  if (task.kind === "sign") {
    const { entry, signer } = task.waiting;
    const note = say.signUntil(format.when(task.until, now));
    return { key: `sign ${entry.slice(0, 60)}`, text: say.sign(nameOf(signer)), note, view: { name: "sign", entry } };
  }
  const { agreement } = task.entry;
  const [seller, buyer] = [nameOf(agreement.provider), nameOf(agreement.consumer)];
  const view: View = { name: "agreement", id: agreement.agreement_id };
  const base = { key: `${task.kind} ${agreement.agreement_id}`, view };
  switch (task.kind) {
    case "look": {
      const { transaction_id, energy_delivered_kwh } = task.transaction;
      const text = say.look(String(placeOf(transaction_id).delivery), format.kwh(energy_delivered_kwh), seller);
      return { key: `look ${transaction_id}`, text, note: say.lookUntil(format.when(task.until, now)), view };
    }
    case "answer":
      return { ...base, text: say.answer(seller, format.kwh(agreement.energy_amount_kwh)), note: say.answerUntil(format.when(task.until, now)) };
    case "pay":
      return { ...base, text: say.pay(format.amount(task.amount, token), seller) };
    case "draw":
      return { ...base, text: say.draw(format.amount(task.amount, token), buyer) };
    case "refund":
      return { ...base, text: say.refund(format.amount(task.amount, token), seller) };
  }
}

export function TodoList({ tasks, onForget }: { tasks: Task[]; onForget: () => void }) {
  const session = useSession();
  const { words, chain, now } = session;
  const remind = () => {
    const reminders = tasks.map((task): Reminder => {
      const { key, text, note, view } = shown(task, session);
      const ends = "until" in task;
      const [at, minutesBefore] = ends ? [task.until, BEFORE_END] : [now + LATER, 0];
      return { uid: `${key} ${chain.contractId}`, title: text, text: note ?? text, url: fullLink(view), at, minutesBefore };
    });
    saveFile("energy.ics", "text/calendar;charset=utf-8", toCalendar(reminders, now));
  };
  return (
    <section class="card stack" aria-labelledby="todo">
      <h2 id="todo">{words.todo.title}</h2>
      {tasks.length === 0 ? (
        <p>{words.todo.none}</p>
      ) : (
        <>
          <ul class="todo">
            {tasks.map((task) => {
              const { key, text, note, view } = shown(task, session);
              return (
                <li key={key} data-task={task.kind}>
                  <a href={href(view)}>{text}</a>
                  {note && <span class="hint">{note}</span>}
                  {task.kind === "sign" && (
                    <Button
                      onClick={() => {
                        forgetWaiting(task.waiting.entry);
                        onForget();
                      }}
                    >
                      {words.todo.forget}
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
          <Button onClick={remind} hint={words.todo.remindHint}>
            {words.todo.remind}
          </Button>
        </>
      )}
    </section>
  );
}
