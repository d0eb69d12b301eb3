// A setting as a field of a form: its control, what it means, what is wrong with it.
import { element, setText } from "./dom.js";

/** The value that a control holds: undefined where it is empty. Throws a line for people where it is none. */
export function valueOf(field, control) {
  if (field.kind === "switch") return control.checked;
  const text = control.value.trim();
  if (text === "") {
    if (control.validity?.badInput) throw new Error("Expected a number.");
    return undefined;
  }
  if (field.kind === "choice") return text;
  if (field.kind === "text") return listOf(text);
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error(`Expected a number, found ${text}.`);
  if (field.kind === "integer" && !Number.isInteger(number)) throw new Error(`Expected a whole number, found ${text}.`);
  if (field.minimum !== null && number < field.minimum) throw new Error(`Expected ${plainNumber(field.minimum)} or more, found ${text}.`);
  if (field.maximum !== null && number > field.maximum) throw new Error(`Expected ${plainNumber(field.maximum)} or less, found ${text}.`);
  return number;
}

const plainNumber = (number) => number.toLocaleString("en", { maximumSignificantDigits: 17 });

/** "3, 5" as a list, "64" as a number, "sine, tanh" as a list of words. */
function listOf(text) {
  const inside = text.replace(/^\[|\]$/g, "");
  const parts = inside.split(/[\s,]+/).filter(Boolean).map((part) => part.replace(/^["']|["']$/g, ""));
  const values = parts.map((part) => (Number.isFinite(Number(part)) ? Number(part) : part));
  return values.length === 1 && !/[[,]/.test(text) && typeof values[0] === "number" ? values[0] : values;
}

/** How a value stands in a control. */
export function textOf(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function controlOf(field, value, empty) {
  if (field.kind === "choice") {
    const control = element("select", { id: `field-${field.key}` });
    if (empty) control.append(element("option", { value: "" }, "default"));
    control.append(...field.choices.map((choice) => element("option", { value: choice }, choice)));
    control.value = textOf(value);
    return control;
  }
  if (field.kind === "switch") {
    const control = element("input", { id: `field-${field.key}`, type: "checkbox" });
    control.checked = value === true;
    return control;
  }
  const number = field.kind === "integer" || field.kind === "number";
  const control = element("input", {
    id: `field-${field.key}`, type: number ? "number" : "text", autocomplete: "off", spellcheck: "false",
    min: field.minimum, max: field.maximum, step: field.kind === "integer" ? 1 : "any", inputmode: number ? (field.kind === "integer" ? "numeric" : "decimal") : null,
    placeholder: empty ? "default" : null,
  });
  control.value = textOf(value);
  return control;
}

/** A text whose parts in backticks are code. */
const withCode = (text) => text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));

/**
 * A field with its control. `changed(value)` is called with its new value, undefined where it was emptied.
 * @param {object} field what the server says of the setting
 * @param {*} value that it has now
 * @param {*} usual that it has where the form says nothing
 * @param {(value: *) => void} changed
 */
export function makeField(field, value, usual, changed) {
  const control = controlOf(field, value, usual === null || usual === undefined);
  const about = element("p", { class: "about", id: `about-${field.key}` }, ...withCode(field.about));
  const wrong = element("p", { class: "wrong", id: `wrong-${field.key}`, hidden: true });
  const row = element("div", { class: `field ${field.kind}`, "data-key": field.key },
    element("label", { for: control.id }, field.title), control, about, wrong);
  control.setAttribute("aria-describedby", `${about.id} ${wrong.id}`);
  control.addEventListener(field.kind === "choice" || field.kind === "switch" ? "change" : "input", () => {
    try {
      const found = valueOf(field, control);
      showWrong(row, "");
      changed(found);
    } catch (error) {
      showWrong(row, error.message);
      changed(null, error.message);
    }
  });
  return row;
}

/** Say what is wrong with a field, "" for nothing. */
export function showWrong(row, text) {
  const wrong = row.querySelector(".wrong");
  wrong.hidden = !text;
  setText(wrong, text);
  row.querySelector("input, select").setAttribute("aria-invalid", text ? "true" : "false");
}

/** A choice that is shown whole: a card for each value. */
export function makeChoice(group, name, about, chosen, disabled, pick) {
  const id = `${group}-${name}`;
  const input = element("input", { type: "radio", name: group, id, value: name, disabled });
  input.checked = chosen;
  input.addEventListener("change", () => pick(name));
  return element("label", { class: "choice-card", for: id }, input, element("b", {}, about.title), element("span", {}, about.text));
}
