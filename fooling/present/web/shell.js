// What every page does besides its own: `?` shows its keys.
import { isTyping } from "./dom.js";
import { showKeys } from "./messages.js";

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
