// The small pieces of which views are made.

import { Fragment, type ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { networkName } from "../chain/networks.js";
import { useSession } from "../person/session.js";
import type { Words } from "../words/en.js";
import { groupsOfFour, isolated, visible } from "../words/format.js";
import { ContractProblem, lasts, OtherNetwork, type Problem } from "../words/problem.js";
import type { Loaded } from "./load.js";
import type { Meaning } from "./numbers.js";

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  kind?: "primary" | "plain" | "danger";
  submit?: boolean;
  /** Why it cannot be pressed now. */
  blocked?: string;
  hint?: string;
}

/** A button. One that is blocked can still be reached by keyboard, and says why it is blocked. */
export function Button({ children, onClick, kind = "plain", submit, blocked, hint }: ButtonProps) {
  const id = useId();
  const note = blocked ?? hint;
  const button = (
    <button
      type={submit ? "submit" : "button"}
      class={kind}
      aria-disabled={blocked ? "true" : undefined}
      aria-describedby={note ? id : undefined}
      onClick={blocked ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </button>
  );
  return note ? (
    <div class="action">
      {button}
      <p id={id} class="hint">
        {note}
      </p>
    </div>
  ) : (
    button
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  problem?: string;
  type?: "text" | "date";
  numeric?: boolean;
  min?: string;
  max?: string;
  list?: string;
  /** What may have been meant, to choose from. */
  meanings?: Meaning[];
}

export function Field({ label, value, onInput, hint, problem, type = "text", numeric, min, max, list, meanings = [] }: FieldProps) {
  const id = useId();
  const notes = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        inputMode={numeric ? "decimal" : undefined}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        min={min}
        max={max}
        list={list}
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={notes || undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {problem && (
        <p id={`${id}-problem`} class="problem" role="alert">
          {problem}
        </p>
      )}
      {problem && meanings.length > 0 && (
        <div class="row">
          {meanings.map(({ text, label }) => (
            <Button key={text} onClick={() => onInput(text)}>
              {label}
            </Button>
          ))}
        </div>
      )}
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface FormProps {
  class: string;
  onSubmit: (event: Event) => void;
  children: ComponentChildren;
}

/** A form. After it was sent in vain, whoever filled it in goes on at the first field that is wrong. */
export function Form({ class: name, onSubmit, children }: FormProps) {
  const [tries, setTries] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(), [tries]);
  const submit = (event: Event) => {
    onSubmit(event);
    setTries(tries + 1);
  };
  return (
    <form ref={form} class={name} onSubmit={submit} noValidate>
      {children}
    </form>
  );
}

export type Fact = [label: string, value: ComponentChildren] | false | undefined;

export function Facts({ facts }: { facts: Fact[] }) {
  if (!facts.some(Boolean)) return null;
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

export function Notice({ kind, children }: { kind: "info" | "warning" | "problem" | "success"; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** A problem in words; where there are no words for it, the message of the error itself. */
export function ProblemText({ problem, words }: { problem: Problem | ContractProblem; words: Words }) {
  if (problem instanceof ContractProblem) return <p>{words.errors[problem.code]}</p>;
  return (
    <>
      <p>{words.problems[problem.kind]}</p>
      {problem instanceof OtherNetwork && (
        <p>{words.otherNetwork(problem.host, inWords(problem.served, words), inWords(problem.wanted, words))}</p>
      )}
      {problem.kind === "notLoaded" && <Button onClick={() => location.reload()}>{words.crash.reload}</Button>}
      {(problem.kind === "unknown" || problem.kind === "notRpc") && problem.detail && <p class="detail">{problem.detail.slice(0, 300)}</p>}
    </>
  );
}

/** No passphrase of a network that is known is longer. */
const LONGEST_PASSPHRASE = 64;

/** A network by the name that the page has for it, or else by its passphrase. */
function inWords(passphrase: string, { start }: Words): string {
  return start.networks[networkName(passphrase) ?? ""] ?? isolated(visible(passphrase).slice(0, LONGEST_PASSPHRASE));
}

interface LoadedViewProps<T> {
  of: Loaded<T>;
  words: Words;
  children: (value: T) => ComponentChildren;
}

/** Shows what was read, that it is being read, or why it cannot be read. What was read before stays, with the time of it, so that nothing typed into it is lost. */
export function LoadedView<T>({ of: { value, problem, asOf, reload }, words, children }: LoadedViewProps<T>) {
  return (
    <>
      {problem && (
        <Notice kind={value === undefined ? "problem" : "warning"}>
          <ProblemText problem={problem} words={words} />
          {value !== undefined && asOf && <AsOf at={asOf} />}
          {!lasts(problem) && <Button onClick={reload}>{words.common.again}</Button>}
        </Notice>
      )}
      {value !== undefined && <Fragment key="value">{children(value)}</Fragment>}
      {value === undefined && !problem && (
        <p class="loading" role="status">
          {words.common.loading}
        </p>
      )}
    </>
  );
}

/** Says that the wallet of the last time is being looked for. It may never answer: then another can be chosen. */
export function Connecting() {
  const { words, connect } = useSession();
  return (
    <div class="row">
      <p class="loading" role="status">
        {words.wallet.connecting}
      </p>
      <Button onClick={() => connect(undefined)}>{words.common.cancel}</Button>
    </div>
  );
}

/** Says in a view that is of one account that there is none. */
export function NoAccount() {
  const { words, connecting } = useSession();
  return connecting ? <Connecting /> : <p class="empty">{words.agreements.connect}</p>;
}

/** Says that what is shown may be older than the ledger. */
export function AsOf({ at }: { at: Date }) {
  const { words, format } = useSession();
  return <p>{words.common.asOf(format.clock(BigInt(Math.floor(at.getTime() / 1000))))}</p>;
}

export function CopyButton({ text, kind = "plain", children }: { text: string; kind?: "primary" | "plain"; children: ComponentChildren }) {
  const { words } = useSession();
  const id = useId();
  const [copied, setCopied] = useState<boolean>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Browsers inside of other apps have no clipboard, or do not lend it.
      setCopied(false);
    }
  };
  return (
    <>
      <button type="button" class={kind} onClick={() => void copy()}>
        <span aria-live="polite">{copied ? words.common.copied : children}</span>
      </button>
      {copied === false && (
        <div class="field">
          <label for={id}>{words.common.copyYourself}</label>
          <input id={id} class="link" readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
        </div>
      )}
    </>
  );
}

/** A neighbour by the name that this person gave, or else by the address. */
export function Person({ address }: { address: string }) {
  const { names, me, nameOf } = useSession();
  const name = address === me ? undefined : names[address];
  return (
    <span class="person" title={address}>
      {name ? isolated(name) : nameOf(address)}
    </span>
  );
}

/** An address as a whole, in groups of four: so that two of them can be compared. What is copied from it has no spaces. */
export function WholeAddress({ of }: { of: string }) {
  return (
    <code class="address groups">
      {groupsOfFour(of).map((group, index) => (
        <span key={index}>{group}</span>
      ))}
    </code>
  );
}

/** Lets the person save a text as a file. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}
