// A field that finds runs of the folder by name, label or model, and a list below it to choose from.
import { get, onceAtATime } from "./api.js";
import { element } from "./dom.js";

const SHOWN = 8; // runs in the list

/** Make an input and its list find runs. `isTaken` says which ids are left out, `choose` is called with a Job of the API. */
export function findRuns(input, list, isTaken, choose) {
  let found = [];
  let at = -1;

  function close() {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(place) {
    at = found.length ? (place + found.length) % found.length : -1;
    [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
  }

  function take(job) {
    input.value = "";
    close();
    choose(job);
  }

  const look = onceAtATime(async () => {
    const words = input.value;
    try {
      const answer = await get(`/api/v1/runs?limit=${SHOWN + 12}&q=${encodeURIComponent(words)}`);
      found = answer.items.filter((job) => !isTaken(job.id)).slice(0, SHOWN);
    } catch {
      found = [];
    }
    list.replaceChildren(...found.map((job, number) => {
      const item = element("li", { role: "option", id: `${list.id}-${number}`, "aria-selected": "false" },
        element("span", { class: `state ${job.state}` }, job.state), " ",
        element("bdi", {}, job.label || job.name), element("small", {}, [job.model, job.encoding, job.search].filter(Boolean).join(", ")));
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault(); // the field keeps the focus
        take(job);
      });
      return item;
    }));
    if (!found.length) list.replaceChildren(element("li", { class: "soft", role: "option", "aria-disabled": "true", "aria-selected": "false" }, words ? "No other run matches" : "There is no other run"));
    list.hidden = document.activeElement !== input;
    input.setAttribute("aria-expanded", String(!list.hidden));
    at = -1;
  });

  input.addEventListener("input", look);
  input.addEventListener("focus", look);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) look();
      else mark(at + (event.key === "ArrowDown" ? 1 : -1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0));
    } else if (event.key === "Enter" && !list.hidden && found.length) {
      event.preventDefault();
      take(found[Math.max(at, 0)]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
}
