import { render } from "preact";
import { App } from "./App.js";
import { Boundary } from "./parts/Boundary.js";
import { keepTextsTranslatable } from "./parts/translation.js";
import "./style.css";
import { isPlayLink } from "./wallet/playKey.js";
import { loadWords, readLanguage } from "./words/words.js";

const root = document.getElementById("app");
// A link to another person differs from this page's address in the fragment only, which alone loads nothing.
addEventListener("hashchange", () => {
  if (isPlayLink(location.hash)) location.reload();
});
keepTextsTranslatable();
const language = readLanguage();
const words = await loadWords(language);
// Another page could lay its own buttons over this one's, and no header of this page's server forbids it.
if (root && top !== self) root.textContent = words.framed;
else if (root)
  render(
    <Boundary words={words}>
      <App language={language} words={words} />
    </Boundary>,
    root,
  );
