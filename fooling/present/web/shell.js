// What every page does besides its own: `?` shows its keys, and the top bar whether it hears of changes.
import { byId, isTyping, setText } from "./dom.js";
import { onConnection } from "./live.js";
import { showKeys } from "./messages.js";

const CONNECTIONS = {
  open: "Live",
  lost: "Connection lost. This page comes back by itself.",
  login: "Logged out. Open a login link of the server, then reload.",
};

const pageKeys = [];

/** Tell which keys a page has: pairs of a key and what it does. */
export function describeKeys(keys) {
  pageKeys.push(...keys);
}

addEventListener("keydown", (event) => {
  if (event.key !== "?" || isTyping(event)) return;
  event.preventDefault();
  showKeys([...pageKeys, ["?", "this list"], ["Esc", "closes it"]]);
});

onConnection((state) => {
  const shown = byId("connection");
  shown.hidden = false;
  shown.className = state === "open" ? "connection fine" : "connection";
  setText(shown, CONNECTIONS[state]);
});
