// What a page does beyond its own forms: after an error the summary is read first; a list that is being used is not swapped away.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.getElementById("erreurs");
  if (wrong) wrong.focus();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (target && target.contains(document.activeElement) && document.activeElement !== document.body) {
    event.detail.shouldSwap = false;
  }
});
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});
