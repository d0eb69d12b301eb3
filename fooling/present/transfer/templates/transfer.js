// Follows the gallery's format.js, which words the confidences.
// Data: targets, sources (names); cells {source, target, home, images, share, interval, median}; images {source,
// label, class, confidence, answers: [target, rank, confidence, top1, top1 confidence]}; #images holds their PNGs.
const data = JSON.parse(document.getElementById("data").textContent);
const pngs = JSON.parse(document.getElementById("images").textContent);
const AT_ONCE = 120;
const percent = (share) => `${Math.round(share * 100)} %`;
const short = (spec) => spec.split("/").pop().replace(/^.*:/, "").replace(/\.toml$/, "");

function node(name, text, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  return made;
}

function matrix() {
  const table = document.getElementById("matrix");
  const head = table.createTHead().insertRow();
  head.append(node("th", "elites of \\ shown to", { scope: "col" }), ...data.targets.map((t) => node("th", short(t), { scope: "col", title: t })));
  const body = table.createTBody();
  data.sources.forEach((name, source) => {
    const row = body.insertRow();
    row.append(node("th", name, { scope: "row" }));
    data.targets.forEach((_, target) => {
      const cell = data.cells.find((c) => c.source === source && c.target === target);
      const known = cell && cell.images > 0; // else the target has none of the images' classes
      const td = node("td", known ? percent(cell.share) : "–");
      if (known) {
        td.style.setProperty("--share", cell.share);
        td.classList.toggle("home", cell.home);
        td.append(node("small", `${percent(cell.interval[0])} to ${percent(cell.interval[1])}`));
        td.title = `${cell.images} images, median confidence ${formatConfidence(cell.median)}`;
      }
      row.append(td);
    });
  });
}

function choices() {
  const source = document.getElementById("source");
  if (data.sources.length > 1) source.append(node("option", "all runs", { value: "" }));
  data.sources.forEach((name, number) => source.append(node("option", name, { value: number })));
  const who = document.getElementById("who");
  data.targets.forEach((target, number) => {
    const label = node("label", `${short(target)} `, { title: target });
    const select = node("select", undefined, { name: number });
    select.append(...[["", "any answer"], ["yes", "fool it"], ["no", "don't fool it"]].map(([value, text]) => node("option", text, { value })));
    label.append(select);
    who.append(label);
  });
}

function chosen() {
  const source = document.getElementById("source").value;
  const wishes = [...document.querySelectorAll("#who select")].map((select) => select.value);
  return data.images.flatMap((image, number) => {
    if (source !== "" && image.source !== Number(source)) return [];
    const fits = image.answers.every(([target, rank]) => !wishes[target] || (rank === 0) === (wishes[target] === "yes"));
    return fits ? [number] : [];
  });
}

function figure(number) {
  const image = data.images[number];
  const made = node("figure");
  const caption = node("figcaption");
  const list = node("ul");
  for (const [target, rank, confidence, top1, top1Confidence] of image.answers) {
    const name = short(data.targets[target]);
    const home = data.cells.some((cell) => cell.home && cell.source === image.source && cell.target === target);
    const answer = rank === 0 ? (home ? `first answer of ${name}, at home` : `fools ${name}, ${formatConfidence(confidence)}`)
      : `${name}${home ? ", at home," : ""} calls it ${top1}, ${formatConfidence(top1Confidence)}`;
    list.append(node("li", answer, { className: rank === 0 && !home ? "fooled" : "" }));
  }
  const run = data.sources.length > 1 ? `${data.sources[image.source]}, ` : "";
  caption.append(node("strong", image.label), `${run}class ${image.class}, ${formatConfidence(image.confidence)} at home`, list);
  made.append(node("img", undefined, { src: `data:image/png;base64,${pngs[number]}`, alt: "", width: 112, height: 112, loading: "lazy" }), caption);
  return made;
}

let shown = [];
let drawn = 0;
function more() {
  const next = shown.slice(drawn, drawn + AT_ONCE);
  document.getElementById("wall").append(...next.map(figure));
  drawn += next.length;
  document.getElementById("more").hidden = drawn >= shown.length;
}

function show() {
  shown = chosen();
  drawn = 0;
  document.getElementById("wall").replaceChildren();
  document.getElementById("count").textContent = `${formatCount(shown.length)} of ${formatCount(data.images.length)} images`;
  more();
}

matrix();
choices();
document.getElementById("tools").addEventListener("change", show);
document.getElementById("more").addEventListener("click", more);
show();
