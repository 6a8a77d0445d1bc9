// Messages as they come: each behind the last one that is shown, so that none is left out; a pause loses none either.
(() => {
  "use strict";
  const MOST_ROWS = 500;
  const button = document.querySelector("[data-tail]");
  const body = document.getElementById("rows");
  if (!button || !body) return;
  const state = document.querySelector("[data-tail-state]");
  let after = button.dataset.after;
  let paused = false;
  let asking = false;

  const newer = async () => {
    const asked = new URLSearchParams(location.search);
    asked.set("after", after);
    const answer = await fetch(`${button.dataset.tail}?${asked}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const holder = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("template");
    after = holder.dataset.last;
    body.prepend(holder.content.cloneNode(true));
    while (body.rows.length > MOST_ROWS) body.deleteRow(-1);
    return "more" in holder.dataset;
  };

  const look = async () => {
    if (paused || asking || document.hidden) return;
    asking = true;
    try {
      while (!paused && (await newer()));
      state.textContent = paused ? "paused" : "following";
    } catch (error) {
      state.textContent = "the monitor does not answer";
    } finally {
      asking = false;
    }
  };

  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
    state.textContent = paused ? "paused" : "following";
    look();
  });
  setInterval(look, 1500);
})();
