// What every page does: the clock, instants in local time beside UTC, and forms that send themselves.
(() => {
  "use strict";
  const two = (number) => String(number).padStart(2, "0");
  const time = (hours, minutes, seconds) => [hours, minutes, seconds].map(two).join(":");

  const tick = () => {
    const now = new Date();
    for (const place of document.querySelectorAll("[data-clock-utc]")) {
      place.textContent = time(now.getUTCHours(), now.getUTCMinutes(), now.getUTCSeconds());
    }
    for (const place of document.querySelectorAll("[data-clock-local]")) {
      place.textContent = now.getTimezoneOffset() ? `${time(now.getHours(), now.getMinutes(), now.getSeconds())} here` : "";
    }
  };

  // Instants are written in UTC; a reader elsewhere sees their own time when pointing at one.
  const explainTimes = (root) => {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const instant = new Date(element.getAttribute("datetime"));
      if (!Number.isNaN(instant.getTime())) element.title = `${instant.toLocaleString()} local time`;
    }
  };

  const sendOnChange = (root) => {
    for (const form of root.querySelectorAll("form[data-submit-on-change]")) {
      if (form.dataset.bound) continue;
      form.dataset.bound = "yes";
      form.addEventListener("change", () => form.requestSubmit());
    }
    for (const button of root.querySelectorAll("[data-without-script]")) button.hidden = true;
  };

  tick();
  setInterval(tick, 1000);
  explainTimes(document);
  sendOnChange(document);
  document.addEventListener("htmx:afterSwap", (event) => {
    explainTimes(event.target);
    sendOnChange(event.target);
  });
})();
