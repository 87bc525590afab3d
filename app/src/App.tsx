// The whole page: the language, and which community it shows.

import { useEffect, useState } from "preact/hooks";
import { readPlace } from "./person/place.js";
import { Community } from "./views/Community.js";
import { ContractPicker } from "./views/ContractPicker.js";
import { chooseLanguage, languages, localeOf, readLanguage, type Language } from "./words/words.js";

export function App() {
  const [place] = useState(readPlace);
  const [language, setLanguage] = useState(readLanguage);
  const words = languages[language];
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = words.title;
  }, [language]);
  const choose = (chosen: Language) => {
    chooseLanguage(chosen);
    setLanguage(chosen);
  };
  const picker = (
    <select aria-label="Language / Sprache" value={language} onChange={(event) => choose(event.currentTarget.value as Language)}>
      {Object.entries(languages).map(([name, { language }]) => (
        <option key={name} value={name}>
          {language}
        </option>
      ))}
    </select>
  );
  return place ? (
    <Community place={place} words={words} locale={localeOf(language)} picker={picker} />
  ) : (
    <ContractPicker words={words} picker={picker} />
  );
}
