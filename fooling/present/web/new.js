// The form that launches a run. Its fields, their meanings and limits come from the server; so do the estimate, the config
// and the command. The address keeps what is filled in.
import { get, post } from "./api.js";
import { byId, element, pageData, plain, setText } from "./dom.js";
import { makeChoice, makeField, showWrong } from "./fields.js";
import { formatCount } from "./format.js";
import { encodingName, formatEstimate, searchName } from "./jobs.js";
import { say } from "./messages.js";
import { describeKeys } from "./shell.js";

const PAGE = pageData();
const BUDGET = ["search.generations", "search.steps", "search.evaluations", "search.population", "search.starts", "stop.seconds", "stop.confidence"];
const TITLES = { "run.evaluators": "Workers", "stop.seconds": "Stop after seconds", "stop.confidence": "Stop at confidence", "stop.evaluations": "Stop after images", "search.evaluations": "Images of each class", "search.population": "Images of each generation" };
const TABLES = { classifier: "Classifier", encoding: "Encoding", search: "Search", stop: "Stop", run: "Computing" };
const LABEL = { key: "label", title: "Label", about: "Words of yours, by which the run is found again.", kind: "text", choices: [], minimum: null, maximum: null };
const MODEL = { key: "model", title: "Classifier", about: "Those that come along, and those that the server was started with (--model).", kind: "choice", choices: PAGE.models, minimum: null, maximum: null };

const bases = new Map(PAGE.bases.map((base) => [base.config, base]));
const form = { config: "", model: "", seed: 0, label: "", set: {} };
const wrongs = new Map(); // what can be told to be wrong here, by key
let estimating = 0;
let asked = 0;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const base = () => bases.get(form.config);
const isHere = (field) => field.within === null || [base().encoding, base().search].includes(field.within);
const fieldOf = (key) => PAGE.fields.find((field) => field.key === key && isHere(field));

function fill({ config, model, seed, label, set }) {
  form.config = bases.has(config) ? config : PAGE.bases[0].config;
  form.model = model || base().model || PAGE.models[0] || "";
  form.seed = seed ?? 0;
  form.label = label ?? "";
  form.set = { ...set };
}

/** What the address says, over what the server says. */
function fillFromAddress() {
  const query = new URLSearchParams(location.search);
  const start = { ...PAGE.start, set: { ...PAGE.start.set } };
  for (const name of ["config", "model", "label"]) if (query.has(name)) start[name] = query.get(name);
  if (query.has("seed")) start.seed = Number(query.get("seed")) || 0;
  if (query.has("config") && query.get("config") !== PAGE.start.config) start.set = {};
  for (const [key, text] of query) {
    if (!key.includes(".")) continue;
    try {
      start.set[key] = JSON.parse(text);
    } catch {
      start.set[key] = text;
    }
  }
  fill(start);
}

function keepInAddress() {
  const query = new URLSearchParams({ config: form.config, model: form.model, seed: form.seed });
  if (form.label) query.set("label", form.label);
  for (const [key, value] of Object.entries(form.set)) query.set(key, JSON.stringify(value));
  history.replaceState(null, "", `/new?${query}`);
}

function requestOf() {
  const wanted = { config: form.config, seed: form.seed, set: form.set };
  if (form.model !== base().model) wanted.model = form.model;
  if (form.label) wanted.label = form.label;
  return wanted;
}

/** Take a change of one field. */
function change(key, value, wrong = "") {
  if (wrong) wrongs.set(key, wrong);
  else wrongs.delete(key);
  if (key === "seed" || key === "label" || key === "model") {
    if (!wrong) form[key] = value ?? (key === "seed" ? 0 : "");
  } else if (wrong || value === undefined || JSON.stringify(value) === JSON.stringify(base().values[key])) {
    delete form.set[key];
  } else {
    form.set[key] = value;
  }
  if (key === "encoding.profile") draw();
  changed();
}

/** Go to another encoding or search: to the ready-made config that has both, with what fits of what is filled in. */
function vary(table, name) {
  const wanted = { encoding: base().encoding, search: base().search, [table]: name };
  const fits = (other) => other[table] === name && other.model === "" && base().model === "";
  const both = PAGE.bases.filter((other) => other.encoding === wanted.encoding && other.search === wanted.search);
  const found = both.find((other) => other.model === base().model) ?? both[0] ?? PAGE.bases.find(fits) ?? PAGE.bases.find((other) => other[table] === name);
  form.config = found.config;
  form.set = Object.fromEntries(Object.entries(form.set).filter(([key]) => Object.hasOwn(found.values, key)));
  draw();
  byId(`${table}-${name}`).focus();
  changed();
}

function changed() {
  keepInAddress();
  drawPresets();
  clearTimeout(estimating);
  estimating = setTimeout(estimate, 250);
}

/** What the server says of the form as it is. */
async function estimate() {
  const mine = ++asked;
  const [first] = wrongs.values();
  tell("");
  if (first) return showTime(null, "Something above is not right yet.");
  try {
    const found = await post("/api/v1/estimates", requestOf());
    if (mine !== asked) return undefined;
    setText(byId("command"), found.command);
    setText(byId("config"), found.config);
    return showTime(found);
  } catch (error) {
    if (mine === asked) {
      tell(error.message);
      showTime(null, "Something is not right yet.");
    }
    return undefined;
  }
}

function showTime(found, why = "") {
  setText(byId("time"), found?.seconds != null ? formatEstimate(found.seconds) : "not known yet");
  const parts = [];
  if (why) parts.push(why);
  if (found) {
    if (found.images !== null) parts.push(`${formatCount(found.images)} images${found.images_per_second ? ` at ${formatCount(Math.round(found.images_per_second))} a second, as in earlier runs like this one` : ""}.`);
    if (found.seconds === null) parts.push(`No run of this classifier, encoding and search is in the folder yet${found.images === null ? ", nor is the number of its classes known" : ""}; the time is known once this one has begun.`);
    if (found.waiting) parts.push(`${formatCount(found.waiting)} ${found.waiting === 1 ? "job waits" : "jobs wait"} before it.`);
  }
  setText(byId("time-why"), parts.join(" "));
}

/** Say what the server finds wrong, beside the field that it names. */
function tell(message) {
  for (const row of document.querySelectorAll(".field")) if (!wrongs.has(row.dataset.key)) showWrong(row, "");
  const key = /^(?:set: )?([\w.]+)[: ]/i.exec(message)?.[1];
  const row = key && [...document.querySelectorAll(".field")].find((other) => other.dataset.key.toLowerCase() === key.toLowerCase());
  if (row) {
    showWrong(row, message.slice(message.indexOf(":") + 1).trim().replace(/^./, (letter) => letter.toUpperCase()));
    const fold = row.closest("details");
    if (fold) fold.open = true;
  }
  byId("trouble").hidden = !message || Boolean(row);
  setText(byId("trouble"), row ? "" : message);
}

function drawPresets() {
  const own = !form.model.startsWith("builtin:");
  byId("presets").replaceChildren(...PAGE.presets.map((preset) => {
    const config = own && bases.has(preset.own) ? preset.own : preset.config;
    const chosen = form.config === config && JSON.stringify(form.set) === JSON.stringify(preset.set);
    const button = element("button", { type: "button", class: "preset", "aria-pressed": chosen }, element("b", {}, preset.title), element("span", {}, preset.about));
    button.addEventListener("click", () => {
      fill({ ...form, config, set: preset.set });
      wrongs.clear();
      draw();
      changed();
      [...byId("presets").children].find((other) => other.textContent === button.textContent)?.focus();
    });
    return button;
  }));
}

function drawChoices(table, names) {
  const variants = PAGE.variants.filter((variant) => variant.table === table);
  byId(`part-${table}`).replaceChildren(...variants.map(({ name, about }) => {
    const there = PAGE.bases.some((other) => other[table] === name);
    return makeChoice(table, name, { title: capital(names(name)), text: about }, base()[table] === name, !there, (picked) => vary(table, picked));
  }));
}

function fieldRow(field) {
  const usual = base().values[field.key] ?? null;
  const value = Object.hasOwn(form.set, field.key) ? form.set[field.key] : usual;
  return makeField({ ...field, title: TITLES[field.key] ?? field.title }, value, usual, (found, wrong) => change(field.key, found, wrong));
}

function draw() {
  drawPresets();
  byId("part-model").replaceChildren(makeField(MODEL, form.model, "", (value) => change("model", value)));
  drawChoices("encoding", encodingName);
  drawChoices("search", searchName);
  byId("part-profile").replaceChildren(...[fieldOf("encoding.profile")].filter(Boolean).map(fieldRow));
  byId("part-budget").replaceChildren(...BUDGET.map(fieldOf).filter(Boolean).map(fieldRow));
  const seed = fieldOf("seed");
  byId("part-chance").replaceChildren(
    makeField(seed, form.seed, 0, (value, wrong) => change("seed", value, wrong)),
    ...[fieldOf("run.evaluators")].filter(Boolean).map(fieldRow),
    makeField(LABEL, form.label, "", () => change("label", byId("field-label").value)));
  const basic = new Set([...BUDGET, "seed", "run.evaluators", "encoding.profile"]);
  const rest = PAGE.fields.filter((field) => isHere(field) && !basic.has(field.key));
  byId("part-more").replaceChildren(...Object.entries(TABLES).map(([table, title]) =>
    element("section", {}, element("h3", {}, title), element("div", { class: "fields" }, ...rest.filter((field) => field.table === table).map(fieldRow)))));
  setText(byId("more-count"), ` (${rest.length} more)`);
}

/** Random text, also where the browser gives none of its own. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let key = newKey();
let keyOf = "";

async function launch(event) {
  event.preventDefault();
  const wrong = document.querySelector('[aria-invalid="true"]');
  if (wrongs.size && wrong) return wrong.focus();
  const wanted = requestOf();
  // The same form launched again because the answer was lost is the same run; a form that has changed is another one.
  if (keyOf && keyOf !== JSON.stringify(wanted)) key = newKey();
  keyOf = JSON.stringify(wanted);
  byId("launch").disabled = true;
  try {
    const job = await post("/api/v1/runs", wanted, { "Idempotency-Key": key });
    const page = await get(`/api/v1/runs/${job.id}`);
    location.href = `/runs/${page.id}`;
  } catch (error) {
    tell(error.message);
    byId("launch").disabled = false;
    document.querySelector('[aria-invalid="true"]')?.focus();
  }
  return undefined;
}

async function copy(id) {
  const text = byId(id).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers have a clipboard on https and on this machine alone; elsewhere the text is marked, to be copied by keys.
    getSelection().selectAllChildren(byId(id));
    if (!document.execCommand("copy")) return say("The text is marked: copy it with Ctrl-C.");
  }
  return say("Copied.");
}

if (byId("form")) {
  fillFromAddress();
  draw();
  estimate();
  byId("form").addEventListener("submit", launch);
  document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", () => copy(button.dataset.copy)));
  describeKeys([["Enter", "in a field: launch"], ["Tab", "the next field"]]);
}
