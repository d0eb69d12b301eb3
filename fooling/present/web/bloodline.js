// The tree of a line: what was picked at each step, with the branches that this tab has seen. A row is a branch, a column a
// generation; a row begins where it leaves the one above it.
import { element } from "./dom.js";

const THUMB = 96; // pixels of a thumbnail
const SHOWN_PICKS = 3; // of a step
const KEPT = 60; // branches that are remembered
const MOST_ROWS = 12;

/** The steps that were seen, of one beginning; the last seen first. */
function remember(query, steps) {
  const key = `breed ${query}`;
  let seen = [];
  try {
    seen = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    seen = [steps, ...seen.filter((other) => typeof other === "string" && other !== steps)].slice(0, KEPT);
    sessionStorage.setItem(key, JSON.stringify(seen));
  } catch {
    seen = [steps]; // no storage: the line itself is in the address
  }
  return seen;
}

const choicesOf = (steps) => (steps ? steps.split("_") : []);

/** Of the lines that were seen, those that no other one goes on from; the current one, as far as it was ever followed,
    comes first. */
function branches(seen, current) {
  const isBeginning = (one, other) => one !== other && (one === "" || other.startsWith(`${one}_`));
  const ends = seen.filter((one) => !seen.some((other) => isBeginning(one, other)));
  const mine = ends.find((one) => one === current || isBeginning(current, one)) ?? current;
  return [mine, ...ends.filter((one) => one !== mine)].slice(0, MOST_ROWS);
}

/** Draw the tree into a holder. `addressOf(steps, now)` is the address of a step whose choice is shown again. */
export function drawTree(holder, line, addressOf) {
  const drawn = new Set();
  const nodes = [];
  const rows = branches(remember(line.query, line.steps), line.steps);
  rows.forEach((steps, row) => {
    const choices = choicesOf(steps);
    for (let depth = 0; depth <= choices.length; depth += 1) {
      const before = choices.slice(0, depth).join("_");
      const key = `${before} ${choices[depth] ?? ""}`;
      if (depth === choices.length && (!row || drawn.has(key)) && before !== line.steps) continue;
      if (drawn.has(key)) continue;
      drawn.add(key);
      nodes.push(place(treeNode(line, before, choices[depth], addressOf), row, depth, !drawn.has(`row ${row}`) && row > 0));
      drawn.add(`row ${row}`);
    }
  });
  holder.replaceChildren(...nodes);
  holder.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
}

function place(node, row, depth, forks) {
  node.style.gridRow = row + 1;
  node.style.gridColumn = depth + 1;
  node.classList.toggle("forks", forks);
  return node;
}

/** A step: the images that were picked; or, where nothing was chosen yet, the children themselves. */
function treeNode(line, before, choice, addressOf) {
  const generation = choicesOf(before).length;
  const isHere = before === line.steps && choice === undefined;
  const address = addressOf(before, choice);
  if (choice === undefined) {
    return element("a", { class: "step end", href: address, "aria-current": isHere && "step", title: `Generation ${generation}` },
      element("span", { class: "unseen" }, isHere ? "Now: " : ""), `gen ${generation}`);
  }
  const picked = /^[\d.]*/.exec(choice)[0].split(".").filter(Boolean);
  const name = picked.length ? `Generation ${generation}: ${picked.length} picked` : `Generation ${generation}: nothing picked`;
  const steps = before ? `&steps=${before}` : "";
  const thumbs = picked.slice(0, SHOWN_PICKS).map((child) =>
    element("img", { src: `/breed/image.png?${line.query}${steps}&child=${child}&size=${THUMB}`, alt: "", width: 48, height: 48, loading: "lazy" }));
  const more = picked.length > SHOWN_PICKS && element("span", { class: "soft small" }, `+${picked.length - SHOWN_PICKS}`);
  return element("a", { class: "step", href: address, title: name, "aria-label": `${name}; go back to it` },
    ...(thumbs.length ? thumbs : [element("span", { class: "nothing" }, "others")]), more);
}
