// uPlot takes the browser's language as it is while it is loaded, and would stop the page where that is no language tag.

import { languageTags } from "./words.js";

const [tag = "en"] = languageTags();
if (navigator.language !== tag) Object.defineProperty(navigator, "language", { value: tag, configurable: true });
