// What the page says to its reader, and asks them: messages at the edge, and dialogs.
import { byId, element } from "./dom.js";

const MESSAGE_SECONDS = 6;

/** Say something for some seconds; what went wrong stays until it is closed. */
export function say(text, bad = false) {
  const close = element("button", { type: "button", "aria-label": "Close" }, "✕");
  const made = element("div", { class: bad ? "message bad" : "message" }, element("span", {}, text), close);
  close.addEventListener("click", () => made.remove());
  byId("messages").append(made);
  while (byId("messages").children.length > 4) byId("messages").firstChild.remove();
  if (!bad) setTimeout(() => made.remove(), 1000 * MESSAGE_SECONDS);
}

/** Ask before something that can't be undone. Resolves to whether the answer was yes. */
export function ask(title, text, yes) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { class: "ask", "aria-labelledby": "ask-title" },
      element("h2", { id: "ask-title" }, title), element("p", {}, text),
      element("form", { method: "dialog" },
        element("button", { value: "no", autofocus: true }, "Keep"),
        element("button", { value: "yes", class: "danger" }, yes)));
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** Show the keys of a page: pairs of a key and what it does. */
export function showKeys(keys) {
  if (document.querySelector("dialog[open]")) return;
  const rows = keys.flatMap(([key, does]) => [element("kbd", {}, key), element("span", {}, does)]);
  const dialog = element("dialog", { class: "ask", "aria-labelledby": "keys-title" },
    element("h2", { id: "keys-title" }, "Keys"), element("div", { class: "keys" }, ...rows),
    element("form", { method: "dialog" }, element("button", { autofocus: true }, "Close")));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
