// The film of an elite: its ancestors one after the other, from noise to now.
import { get } from "./api.js";
import { byId, element, plain, setText } from "./dom.js";
import { formatConfidence, formatCount } from "./format.js";

const [SHORTEST, LONGEST, WHOLE] = [90, 600, 9000]; // milliseconds: of a picture at least and at most, and of all

let film = null;
let images = [];
let place = 0;
let timer = 0;

/** Show the film of a class's elite; `opened` is called with null when it is closed. */
export async function openFilm(base, entry, opened) {
  const dialog = byId("film");
  stop();
  film = null;
  images = [];
  setText(byId("film-title"), entry.label);
  byId("film-elite").href = `${base.replace("/api/v1", "")}/elites/${entry.index}`;
  byId("film-screen").replaceChildren(element("p", { class: "soft" }, "Breeding its ancestors once more …"));
  for (const part of ["film-text", "film-note", "film-count"]) setText(byId(part), "");
  if (!dialog.open) dialog.showModal();
  dialog.onclose = () => {
    stop();
    film = null;
    opened(null);
  };
  let found;
  try {
    found = await get(`${base}/elites/${entry.index}/film`);
  } catch (error) {
    byId("film-screen").replaceChildren(element("p", {}, error.message));
    return;
  }
  if (!dialog.open || found.class !== entry.index) return;
  film = found;
  images = film.frames.map((frame) => frame.image && Object.assign(new Image(), { src: frame.image, decoding: "async" }));
  byId("film-place").max = film.frames.length - 1;
  setText(byId("film-note"), film.why ? `Some pictures can't be drawn: ${film.why}.` : "");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  seek(calm ? film.frames.length - 1 : 0);
  await Promise.allSettled(images.filter(Boolean).map((image) => image.decode()));
  if (film === found && !calm) play();
}

function seek(to) {
  if (!film) return;
  place = Math.min(film.frames.length - 1, Math.max(0, to));
  const frame = film.frames[place];
  byId("film-place").value = place;
  byId("film-place").setAttribute("aria-valuetext", `generation ${frame.generation}`);
  setText(byId("film-count"), `${formatCount(place + 1)} of ${formatCount(film.frames.length)}`);
  const held = frame.held.map((each) => `“${plain(each.label)}”${each.confidence === null ? "" : ` (${formatConfidence(each.confidence)})`}`);
  const what = place === film.frames.length - 1 ? "the elite of" : "then the elite of";
  setText(byId("film-text"), `Generation ${formatCount(frame.generation)}, ${what} ${held.join(", ") || "no class"}`);
  const image = images[place];
  if (image) image.alt = `Ancestor of generation ${frame.generation}`;
  byId("film-screen").replaceChildren(image || element("p", { class: "soft" }, "This ancestor was not kept and can't be drawn."));
}

function play() {
  if (!film) return;
  if (place === film.frames.length - 1) seek(0);
  byId("film-play").textContent = "❚❚";
  byId("film-play").setAttribute("aria-label", "Pause");
  const step = Math.min(LONGEST, Math.max(SHORTEST, WHOLE / film.frames.length));
  timer = setInterval(() => {
    seek(place + 1);
    if (place === film.frames.length - 1) stop();
  }, step);
}

function stop() {
  clearInterval(timer);
  timer = 0;
  byId("film-play").textContent = "▶";
  byId("film-play").setAttribute("aria-label", "Play");
}

/** Let the film be played, paused and scrubbed. */
export function listenOnFilm() {
  byId("film-play").addEventListener("click", () => (timer ? stop() : play()));
  byId("film-close").addEventListener("click", () => byId("film").close());
  byId("film").addEventListener("click", (event) => event.target === byId("film") && byId("film").close());
  byId("film-place").addEventListener("input", (event) => {
    stop();
    seek(Number(event.target.value));
  });
  byId("film").addEventListener("keydown", (event) => {
    const keys = {
      " ": () => (timer ? stop() : play()),
      ArrowLeft: () => (stop(), seek(place - 1)),
      ArrowRight: () => (stop(), seek(place + 1)),
      Home: () => (stop(), seek(0)),
      End: () => (stop(), seek(Infinity)),
    };
    if (!Object.hasOwn(keys, event.key) || (event.key === " " && event.target.matches("button, a"))) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}
