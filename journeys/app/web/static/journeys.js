// What a page does beyond its own forms: after an error the summary is read first; one of many forms in a row begins at its first answer; a list that is being used is not swapped away.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.getElementById("erreurs");
  if (wrong) return wrong.focus();
  const first = document.querySelector("[data-first] input");
  if (first) first.focus({ preventScroll: true });
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
