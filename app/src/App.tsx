// The whole page: the language, and which community it shows.

import { useEffect, useRef, useState } from "preact/hooks";
import { Notice } from "./parts/basics.js";
import { readPlace } from "./person/place.js";
import { Community } from "./views/Community.js";
import { Communities, OtherCommunity } from "./views/Communities.js";
import { ContractPicker } from "./views/ContractPicker.js";
import type { Words } from "./words/en.js";
import { chooseLanguage, languages, loadWords, localeOf, type Language } from "./words/words.js";

interface Props {
  language: Language;
  words: Words;
}

interface Spoken extends Props {
  /** The language that was chosen, if its words could not be loaded. */
  missing?: Language;
}

export function App(first: Props) {
  const [opening] = useState(readPlace);
  const [{ language, words, missing }, speak] = useState<Spoken>(first);
  const wanted = useRef(first.language);
  useEffect(() => {
    document.documentElement.lang = language;
    if (!opening || !("place" in opening)) document.title = words.title;
  }, [language]);
  const choose = (chosen: Language) => {
    wanted.current = chosen;
    loadWords(chosen).then(
      (words) => {
        if (wanted.current !== chosen) return;
        chooseLanguage(chosen);
        speak({ language: chosen, words });
      },
      // The list then names the language that the page goes on speaking.
      () => wanted.current === chosen && speak((before) => ({ ...before, missing: chosen })),
    );
  };
  const picker = (
    <>
      <select aria-label="Language / Sprache" value={language} onChange={(event) => choose(event.currentTarget.value as Language)}>
        {Object.entries(languages).map(([name, ownName]) => (
          <option key={name} value={name}>
            {ownName}
          </option>
        ))}
      </select>
      {missing && <Notice kind="warning">{words.languageMissing(languages[missing])}</Notice>}
    </>
  );
  if (opening && "place" in opening)
    return <Community place={opening.place} onRead={opening.keep} words={words} locale={localeOf(language)} picker={picker} />;
  if (opening) return <OtherCommunity {...opening} words={words} picker={picker} />;
  return (
    <ContractPicker words={words} picker={picker}>
      <Communities words={words} />
    </ContractPicker>
  );
}
