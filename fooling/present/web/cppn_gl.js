// Draws a CPPN on a canvas with WebGL2: at any size, any part of the plane, with any weights.
import { fragmentShader, vectorsOf, VERTEX_SHADER } from "./cppn_glsl.js";

/**
 * @typedef {{origin: number[], pace: number[]}} View  where the middle of a window's first pixel lies, and how far the next one
 *   is, in pixels of the image as it was classified
 */

export class CppnPainter {
  /**
   * A painter of a CPPN; null where this browser can't draw it.
   * @param {HTMLCanvasElement} canvas
   * @param {import("./cppn_program.js").Genotype} genotype
   * @param {boolean} every  whether it can draw what single nodes put out, too
   */
  static open(canvas, genotype, every = false) {
    const gl = canvas.getContext("webgl2", { alpha: every, antialias: false, depth: false, preserveDrawingBuffer: true });
    if (!gl) return null;
    try {
      return new CppnPainter(gl, genotype, every);
    } catch (error) {
      console.info(error.message);
      return null;
    }
  }

  constructor(gl, genotype, every) {
    if (vectorsOf(genotype) > gl.getParameter(gl.MAX_FRAGMENT_UNIFORM_VECTORS) - 16) {
      throw new Error("This CPPN has more edges than this graphics card takes.");
    }
    this.gl = gl;
    this.size = genotype.raster.size;
    gl.disable(gl.DITHER);
    this.replace(genotype, every);
  }

  /** Draw another CPPN from now on. */
  replace(genotype, every = false) {
    const { gl } = this;
    if (this.program) gl.deleteProgram(this.program);
    this.size = genotype.raster.size;
    this.program = linked(gl, fragmentShader(genotype, every));
    gl.useProgram(this.program);
    this.places = Object.fromEntries(
      ["weights", "corner", "origin", "pace", "height", "shown"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.packed = new Float32Array(4 * vectorsOf(genotype));
    this.weigh(genotype.edges.map((edge) => edge.weight));
  }

  /** Give every edge its weight. */
  weigh(weights) {
    this.packed.set(weights);
    this.gl.uniform4fv(this.places.weights, this.packed);
  }

  get lost() {
    return this.gl.isContextLost();
  }

  /**
   * Draw a window of the canvas.
   * @param {View} view
   * @param {number[]} window  left, top, width and height in pixels of the canvas (default: all of it)
   * @param {number} node  draw what this node puts out, in grey (default: the image)
   */
  paint(view, window = [0, 0, this.gl.canvas.width, this.gl.canvas.height], node = -1) {
    const { gl, places } = this;
    const [left, top, width, height] = window;
    const bottom = gl.canvas.height - top - height;
    gl.viewport(left, bottom, width, height);
    gl.uniform2f(places.corner, left, bottom);
    gl.uniform1f(places.height, height);
    gl.uniform2f(places.origin, ...view.origin);
    gl.uniform2f(places.pace, ...view.pace);
    gl.uniform1i(places.shown, node);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** The image at the size at which it was classified: its pixels, red, green, blue and 255 of each, row by row from the top. */
  native() {
    const { gl, size: [height, width] } = this;
    gl.canvas.width = width;
    gl.canvas.height = height;
    this.paint({ origin: [0, 0], pace: [1, 1] });
    const found = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, found);
    const rows = Array.from({ length: height }, (_, row) => found.subarray(4 * width * (height - 1 - row), 4 * width * (height - row)));
    const upright = new Uint8Array(found.length);
    rows.forEach((row, number) => upright.set(row, 4 * width * number));
    return upright;
  }
}

function linked(gl, fragment) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`This CPPN can't be drawn here: ${gl.getProgramInfoLog(program) || "no shader"}`);
  }
  return program;
}

/** The view of a whole image on a window of `width` × `height` pixels, its outermost pixels at the window's edges. */
export function wholeView([imageHeight, imageWidth], width, height) {
  return { origin: [0, 0], pace: [(imageWidth - 1) / Math.max(1, width - 1), (imageHeight - 1) / Math.max(1, height - 1)] };
}
