// The whole page: the language, and which community it shows.

import { useEffect, useState } from "preact/hooks";
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

export function App({ language: first, words: firstWords }: Props) {
  const [opening] = useState(readPlace);
  const [{ language, words }, setLanguage] = useState<Props>({ language: first, words: firstWords });
  useEffect(() => {
    document.documentElement.lang = language;
    if (!opening || !("place" in opening)) document.title = words.title;
  }, [language]);
  const choose = (chosen: Language) => {
    chooseLanguage(chosen);
    void loadWords(chosen).then((words) => setLanguage({ language: chosen, words }));
  };
  const picker = (
    <select aria-label="Language / Sprache" value={language} onChange={(event) => choose(event.currentTarget.value as Language)}>
      {Object.entries(languages).map(([name, ownName]) => (
        <option key={name} value={name}>
          {ownName}
        </option>
      ))}
    </select>
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
