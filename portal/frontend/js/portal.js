// Starts on every page. Every page works without it.
import { initAll } from "./govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// A partial that htmx puts in may bring components of its own.
document.body.addEventListener("htmx:afterSettle", ({ target }) => initAll({ scope: target }));

// On paper every fold is open; afterwards it is as it was.
const folded = () => document.querySelectorAll("details:not([open])");
addEventListener("beforeprint", () => folded().forEach((part) => { part.open = true; part.dataset.openedForPrint = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("details[data-opened-for-print]").forEach((part) => {
  part.open = false;
  delete part.dataset.openedForPrint;
}));

// A link to something inside a fold opens the fold.
const unfold = () => {
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let fold = wanted?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  wanted?.scrollIntoView();
};
addEventListener("hashchange", unfold);
if (location.hash) unfold();
