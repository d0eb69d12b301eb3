// How a person says what they see: by a button, a digit, or by typing a part of a label.
import { byId, element, setText } from "./dom.js";

const FEW = 10; // options that have a digit each
const LISTED = 40; // options that are all shown; of more, those that match what is typed
const MATCHES = 8;
const EXPLAINED = 2; // letters from which on it is said that nothing matches

/**
 * @param {{class: number, label: string}[]} labels what can be named
 * @param {(given: number | null) => void} answer is called with a class, or null for nothing
 */
export function choices(labels, answer) {
  // Where labels are digits, as of MNIST, a digit stands for its label and not for a place.
  const numerals = labels.some((one) => /^\d/.test(one.label));
  const nothingKey = numerals ? "-" : "0";
  const folded = labels.map((one) => one.label.toLocaleLowerCase());
  const query = byId("query");
  const options = byId("options");
  let offered = null; // two labels, or null
  let shown = []; // the options that can be chosen now
  let isOpen = false;

  /** Put the question: one of two labels, or any class. */
  function open(pair) {
    isOpen = true;
    offered = pair;
    const searching = !pair && labels.length > FEW;
    setText(byId("question"), pair ? "Which label did it get?" : "What is it?");
    byId("nothing").hidden = Boolean(pair);
    setText(byId("nothing-key"), nothingKey);
    byId("search").hidden = !searching;
    query.value = "";
    draw();
    // Where there is no keyboard, one on the screen would cover the image.
    if (searching && matchMedia("(pointer: fine)").matches) query.focus({ preventScroll: true });
    else if (document.activeElement !== document.body) document.activeElement.blur();
  }

  function close() {
    isOpen = false;
  }

  function draw() {
    const typed = query.value.trim().toLocaleLowerCase();
    const all = !offered && labels.length <= FEW;
    shown = offered ?? (all ? labels : matching(typed));
    const digits = all && numerals && labels.every((one) => one.label.length < 4);
    options.className = `blind-options${offered ? " two" : digits ? " digits" : shown.length > MATCHES || all ? " many" : ""}`;
    options.replaceChildren(...shown.map((one, place) => button(one, place, digits)));
    const none = typed.length >= EXPLAINED && !shown.length;
    setText(byId("hint"), none ? "No class has a label like that." : "");
  }

  function button(one, place, digits) {
    const key = digits ? null : offered || !numerals ? place + 1 : null;
    const hint = key !== null && key <= 9 ? element("kbd", {}, String(key)) : null;
    const first = !offered && place === 0 && query.value.trim() !== "";
    const made = element("button", { type: "button", class: first ? "first" : null, title: one.label.length > 60 ? one.label : null },
      element("span", { dir: "auto" }, one.label), hint);
    made.addEventListener("click", () => answer(one.class));
    return made;
  }

  /** The labels that begin with what was typed, those in which a word does, those that have it anywhere. */
  function matching(typed) {
    if (!typed) return labels.length <= LISTED ? labels : [];
    const ranked = [[], [], []];
    folded.forEach((label, place) => {
      const at = label.indexOf(typed);
      if (at < 0) return;
      const begins = at === 0 ? 0 : label.includes(` ${typed}`) ? 1 : 2;
      ranked[begins].push(labels[place]);
    });
    return ranked.flat().slice(0, labels.length <= LISTED ? LISTED : MATCHES);
  }

  /** Whether a key chose something. */
  function chosen(key) {
    if (key === nothingKey && !offered && query.value === "") {
      answer(null);
      return true;
    }
    if (!/^[0-9]$/.test(key)) return false;
    if (!offered && numerals) {
      const exact = labels.filter((one) => one.label === key);
      if (labels.length > FEW || exact.length !== 1) return false;
      answer(exact[0].class);
      return true;
    }
    const one = shown[Number(key) - 1];
    if (one) answer(one.class);
    return Boolean(one);
  }

  query.addEventListener("input", draw);
  byId("nothing").addEventListener("click", () => answer(null));
  addEventListener("keydown", (event) => {
    if (!isOpen || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const buttons = [...options.querySelectorAll("button"), ...(offered ? [] : [byId("nothing")])];
    const at = buttons.indexOf(document.activeElement);
    if (chosen(event.key)) {
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === query && shown.length) {
      event.preventDefault();
      answer(shown[0].class);
    } else if (event.key === "Escape" && event.target === query) {
      query.value = "";
      draw();
    } else if (event.key === "ArrowDown" || (event.key === "ArrowRight" && event.target !== query)) {
      event.preventDefault();
      buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" || (event.key === "ArrowLeft" && event.target !== query)) {
      event.preventDefault();
      (at > 0 ? buttons[at - 1] : byId("search").hidden ? buttons[0] : query).focus();
    } else if (/^\S$/.test(event.key) && event.key !== "?" && at >= 0 && !byId("search").hidden) {
      query.focus(); // and the letter goes there
    }
  });

  const keys = [
    ["1 … 9", numerals ? "the label, or of two labels the one" : "the option of that number"],
    [nothingKey, "nothing that I can name"],
    ["letters, Enter", "find a class by its label, and take it"],
    ["↑ ↓", "move among the options"],
  ];
  return { open, close, keys };
}
