// The large view of an elite: its pixels as they were classified, each a whole number of screen pixels wide; or drawn anew by
// its network, at the size of the screen, any part of the plane.
import { ApiError, get } from "./api.js";
import { CppnPainter, wholeView } from "./cppn_gl.js";
import { byId, setText } from "./dom.js";
import { readQuery, writeQuery } from "./elite-query.js";
import { formatCount } from "./format.js";

const [FARTHEST, NEAREST] = [1 / 64, 2 ** 13]; // nearer, neighbouring places are the same number in float32
const STEP = 1.5;
const ALIKE = 0.999; // the share of pixels that have to be within one level of the server's

/** Fetch the image, open the painter, and hold the one against the other. */
export async function openStage(page, address) {
  const stage = new Stage(page, address);
  await stage.load();
  stage.listen();
  return stage;
}

class Stage {
  constructor(page, address) {
    const [height, width] = page.size;
    Object.assign(this, { page, address, width, height, painter: null, changed: false, waits: false, reset: () => {} });
    this.canvas = byId("pixels");
    this.canvas.width = width;
    this.canvas.height = height;
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
    this.drawn = byId("drawn");
    const query = readQuery();
    this.isDrawn = query.drawn && Boolean(this.drawn);
    this.view = query.view ?? this.whole();
    byId("stage").style.setProperty("--ratio", width / height);
  }

  whole() {
    return [(this.width - 1) / 2, (this.height - 1) / 2, 1];
  }

  async load() {
    const answer = await fetch(this.page.elite.image);
    if (!answer.ok) throw new ApiError(answer.status, "The image of this elite can't be fetched; reload the page.");
    this.pen.drawImage(await bitmapOf(await answer.blob()), 0, 0);
    this.original = this.pen.getImageData(0, 0, this.width, this.height);
    if (!this.page.final && (await get(`${location.pathname}.json`)).elite.id !== this.page.elite.id) {
      location.reload(); // the run has got further between the page and its image
      return;
    }
    if (this.page.genotype) this.openPainter();
    this.show(this.isDrawn);
  }

  // A painter whose image is the server's; without one the server draws.
  openPainter() {
    const small = CppnPainter.open(document.createElement("canvas"), this.page.genotype);
    const share = small ? alike(small.native(), this.original.data) : null;
    if (share !== null && share.near >= ALIKE) {
      this.small = small;
      this.painter = CppnPainter.open(this.drawn, this.page.genotype);
    }
    const all = formatCount(this.width * this.height);
    const texts = !small ? "This browser has no WebGL2, so the server draws."
      : !this.painter ? `This graphics card computes otherwise than the server (${percent(share.near)} of ${all} pixels agree), so the server draws.`
      : share.same === 1 ? `Drawn here by WebGL, and held against the server's image: all ${all} pixels are the same.`
      : `Drawn here by WebGL, and held against the server's image: of ${all} pixels, ${percent(share.same)} are the same and ${percent(share.near)} within one level.`;
    setText(byId("checked"), texts);
    this.drawn.addEventListener("webglcontextlost", () => setText(byId("checked"), "The graphics card was lost; reload the page to draw again."));
  }

  /** Show the image drawn anew, or its pixels. */
  show(isDrawn) {
    this.isDrawn = isDrawn;
    this.canvas.hidden = isDrawn;
    if (this.drawn) {
      this.drawn.hidden = !isDrawn;
      byId("as-pixels").setAttribute("aria-pressed", String(!isDrawn));
      byId("as-drawn").setAttribute("aria-pressed", String(isDrawn));
      byId("zooms").hidden = !isDrawn || !this.painter;
      byId("stage").classList.toggle("movable", isDrawn && Boolean(this.painter));
    }
    if (isDrawn && !this.painter) this.serve();
    this.fit();
    writeQuery({ drawn: isDrawn });
  }

  // Without WebGL: the server's image, as large as the screen shows it.
  async serve() {
    if (this.changed) return; // it comes with the next variation
    const side = Math.min(2048, Math.round(Math.max(byId("stage").clientWidth, byId("stage").clientHeight) * devicePixelRatio));
    const answer = await fetch(`${this.page.elite.image}?size=${side}`);
    if (answer.ok) this.put(await bitmapOf(await answer.blob()));
  }

  put(bitmap) {
    this.drawn.width = bitmap.width;
    this.drawn.height = bitmap.height;
    this.drawn.getContext("2d")?.drawImage(bitmap, 0, 0);
    this.fit();
  }

  /** Fit the image to the stage, and draw it. */
  fit() {
    const stage = byId("stage");
    const room = Math.min(stage.clientWidth / this.width, stage.clientHeight / this.height);
    if (room <= 0) return;
    const unit = Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;
    const zoom = Math.max(1, Math.floor(room / unit)) * unit;
    this.canvas.style.width = `${this.width * zoom}px`;
    this.canvas.style.height = `${this.height * zoom}px`;
    if (this.isDrawn) {
      this.drawn.style.width = `${this.width * room}px`;
      this.drawn.style.height = `${this.height * room}px`;
      if (this.painter) {
        this.drawn.width = Math.round(this.width * room * devicePixelRatio);
        this.drawn.height = Math.round(this.height * room * devicePixelRatio);
        this.paint();
      }
    }
    const times = Math.round(zoom * devicePixelRatio);
    const scale = times === 1 ? "one screen pixel each" : `${times} screen pixels wide each`;
    const raw = this.page.genotype && !this.page.rescaled ? "; its inputs count pixels, so it is another picture at another size" : "";
    setText(byId("stage-note"), this.isDrawn ? `${this.drawn.width} × ${this.drawn.height} pixels, never classified${raw}` : `${this.width} × ${this.height} pixels, ${scale}`);
  }

  /** Show these weights; `changed`: they are not the elite's. */
  weigh(weights, changed) {
    this.changed = changed;
    if (!this.painter) {
      if (!changed) {
        this.pen.putImageData(this.original, 0, 0);
        if (this.isDrawn) this.serve();
      }
      return;
    }
    this.painter.weigh(weights);
    this.small.weigh(weights);
    if (this.isDrawn) this.paint();
    this.pen.putImageData(changed ? new ImageData(new Uint8ClampedArray(this.small.native()), this.width, this.height) : this.original, 0, 0);
  }

  /** What else to ask of a variation. */
  wants() {
    return this.isDrawn && !this.painter ? { size: 512 } : {};
  }

  /** The server's image of the changed network: what the classifier was asked about. */
  async receive(png) {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const bitmap = await bitmapOf(new Blob([bytes], { type: "image/png" }));
    if (bitmap.width === this.width && bitmap.height === this.height) this.pen.drawImage(bitmap, 0, 0);
    else this.put(bitmap);
  }

  paint() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      const [x, y, zoom] = this.view;
      const { width, height } = this.drawn;
      const { pace } = wholeView([this.height, this.width], width, height);
      const [dx, dy] = pace.map((each) => each / zoom);
      this.painter.paint({ origin: [x - (dx * (width - 1)) / 2, y - (dy * (height - 1)) / 2], pace: [dx, dy] });
      setText(byId("zoom"), zoom >= 10 ? `${formatCount(Math.round(zoom))}×` : `${Number(zoom.toPrecision(2))}×`);
      const isWhole = this.whole().every((part, at) => part === this.view[at]);
      writeQuery({ view: isWhole ? null : this.view });
    });
  }

  /** Zoom by a factor about a point of the canvas, in shares of its sides from its middle. */
  zoom(factor, [right, down] = [0, 0]) {
    const [x, y, before] = this.view;
    const after = Math.min(NEAREST, Math.max(FARTHEST, before * factor));
    const shift = 1 / before - 1 / after;
    this.look([x + right * (this.width - 1) * shift, y + down * (this.height - 1) * shift, after]);
  }

  /** Move by shares of the canvas's sides. */
  move(right, down) {
    const [x, y, zoom] = this.view;
    this.look([x - (right * (this.width - 1)) / zoom, y - (down * (this.height - 1)) / zoom, zoom]);
  }

  look(view) {
    this.view = view;
    if (this.painter && this.isDrawn) this.paint();
  }

  listen() {
    new ResizeObserver(() => this.fit()).observe(byId("stage"));
    if (!this.drawn) return;
    byId("as-pixels").addEventListener("click", () => this.show(false));
    byId("as-drawn").addEventListener("click", () => this.show(true));
    byId("zoom-in").addEventListener("click", () => this.zoom(STEP));
    byId("zoom-out").addEventListener("click", () => this.zoom(1 / STEP));
    byId("zoom-all").addEventListener("click", () => this.look(this.whole()));
    if (this.painter) this.listenToPointers();
  }

  listenToPointers() {
    const { drawn } = this;
    const held = new Map();
    const share = (event) => {
      const box = drawn.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width - 0.5, (event.clientY - box.top) / box.height - 0.5];
    };
    const spread = () => {
      const [a, b] = [...held.values()];
      return b ? [[(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], Math.hypot(a[0] - b[0], a[1] - b[1])] : [a, 0];
    };
    drawn.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      this.zoom(2 ** (-event.deltaY * lines * (event.ctrlKey ? 0.02 : 0.004)), share(event));
    }, { passive: false });
    drawn.addEventListener("pointerdown", (event) => {
      drawn.setPointerCapture(event.pointerId);
      held.set(event.pointerId, share(event));
    });
    drawn.addEventListener("pointermove", (event) => {
      if (!held.has(event.pointerId)) return;
      const [before, wide] = spread();
      held.set(event.pointerId, share(event));
      const [now, wider] = spread();
      this.move(now[0] - before[0], now[1] - before[1]);
      if (wide > 0 && wider > 0) this.zoom(wider / wide, now);
    });
    for (const kind of ["pointerup", "pointercancel"]) drawn.addEventListener(kind, (event) => held.delete(event.pointerId));
    drawn.addEventListener("dblclick", (event) => this.zoom(event.shiftKey ? 0.5 : 2, share(event)));
  }
}

/** What a key does on the page. Gives whether it did anything. */
export function stageKeys(key, stage, target) {
  if (!stage.drawn) return false;
  const keys = {
    v: () => stage.show(!stage.isDrawn),
    r: () => stage.reset(),
    "+": () => stage.zoom(STEP), "=": () => stage.zoom(STEP), "-": () => stage.zoom(1 / STEP),
    0: () => stage.look(stage.whole()),
  };
  if (target.closest("#stage") && stage.isDrawn) {
    Object.assign(keys, { ArrowLeft: () => stage.move(0.1, 0), ArrowRight: () => stage.move(-0.1, 0), ArrowUp: () => stage.move(0, 0.1), ArrowDown: () => stage.move(0, -0.1) });
  }
  if (!Object.hasOwn(keys, key)) return false;
  if ("+=-0".includes(key) && stage.painter && !stage.isDrawn) stage.show(true);
  keys[key]();
  return true;
}

const bitmapOf = (blob) => createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });

// The shares of pixels that are the same, and within one level.
function alike(ours, theirs) {
  let [same, near] = [0, 0];
  for (let at = 0; at < ours.length; at += 4) {
    const far = Math.max(...[0, 1, 2].map((part) => Math.abs(ours[at + part] - theirs[at + part])));
    if (far === 0) same += 1;
    if (far <= 1) near += 1;
  }
  return { same: (4 * same) / ours.length, near: (4 * near) / ours.length };
}

// A share as a percentage that is not rounded up to all.
const percent = (share) => `${(Math.floor(share * 1e4) / 100).toFixed(share === 1 ? 0 : 2)} %`;
