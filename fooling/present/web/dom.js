// Elements of the page. Texts are never parsed: whatever comes from outside arrives as a text node.

// Characters that control a terminal, reverse the text beside them or can't be seen, as in fooling/text.py.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text from outside in one line, its unsafe characters written out: "\u202e". */
export function plain(text) {
  return String(text).replace(UNSAFE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** An HTML element; an attribute of null, undefined or false is left out. Children are nodes or texts. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** The model that the page was drawn from: what its `.json` twin answers. */
export function pageData() {
  return JSON.parse(byId("data").textContent);
}

/** Write a text where it is another one: nothing moves under a reader, and a screen reader hears what has changed. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Whether a key press is meant for a field and not for the page. */
export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, [contenteditable]");
}
