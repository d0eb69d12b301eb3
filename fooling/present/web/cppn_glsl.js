// A CPPN as a WebGL2 fragment shader. The arithmetic is that of cppn/arithmetic.py, cppn/rendering/nodes.py and
// cppn/rendering/colour.py, operation by operation in float32: change them together. What is left to differ is what a
// graphics card does in its own way, such as joining a product and a sum.
import { stepsOf } from "./cppn_program.js";

const FUNCTIONS = `
float limited(float x, float low, float high) {
  x = x > low ? x : low;
  return x < high ? x : high;
}
float sine(float x) {
  x = limited(x, -102900.0, 102900.0);
  float k = roundEven(x * ${floatOf(1 / Math.PI)});
  float r = ((x - k * 3.140625) - k * 0.0009670257568359375) - k * ${floatOf(6.2783295e-7)};
  float s = r * r;
  float value = r + (r * s) * (${floatOf(-0.16666658222675323)} + s * (${floatOf(0.00833303201943636)}
    + s * (${floatOf(-0.00019806968339253217)} + s * ${floatOf(2.5997414923040196e-6)})));
  return (int(k) & 1) == 1 ? -value : value;
}
float exponential(float x) {
  x = limited(x, ${floatOf(-87.33)}, ${floatOf(88.72)});
  float k = roundEven(x * ${floatOf(1 / Math.log(2))});
  float r = (x - k * 0.693145751953125) - k * ${floatOf(1.428606765330187e-6)};
  float value = 1.0 + (r + (r * r) * (${floatOf(0.4999920129776001)} + r * (${floatOf(0.16667133569717407)}
    + r * (${floatOf(0.04189449921250343)} + r * ${floatOf(0.008312049321830273)}))));
  return intBitsToFloat(floatBitsToInt(value) + (int(k) << 23));
}
float sigmoid(float p) { return 2.0 / (1.0 + exponential(-p)) - 1.0; }
float tanh5(float p) { return sigmoid(10.0 * p); }
float gaussian(float p) { return exponential(-(p * p)); }
float linear(float p) { return limited(p, -3.0, 3.0) / 3.0; }
float relu(float p) { return limited(p, 0.0, ${floatOf(3.4028234663852886e38)}); }
float folded(float v) { return limited(abs(v), 0.0, 1.0); }
vec3 ramps(float hue) {
  hue = hue >= 6.0 ? hue - 6.0 : hue;
  return vec3(limited(abs(hue - 3.0) - 1.0, 0.0, 1.0), limited(2.0 - abs(hue - 2.0), 0.0, 1.0),
    limited(2.0 - abs(hue - 4.0), 0.0, 1.0));
}
vec3 fromHls(float hue, float lightness, float saturation) {
  float high = limited(lightness * (1.0 + saturation), 0.0, lightness + saturation - lightness * saturation);
  float low = 2.0 * lightness - high;
  return vec3(low) + (high - low) * ramps(hue);
}
vec3 fromHsv(float hue, float saturation, float value) {
  return value * (vec3(1.0) - saturation * (vec3(1.0) - ramps(hue)));
}
`;

const NAMES = { sine: "sine", sigmoid: "sigmoid", gaussian: "gaussian", linear: "linear", tanh: "tanh5", relu: "relu" };

/** The shader of every picture: one triangle that covers the window. */
export const VERTEX_SHADER = `#version 300 es
void main() { gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0.0, 1.0); }`;

// A number in GLSL, as float32 has it.
function floatOf(value) {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** How many vectors of four weights a CPPN needs. */
export const vectorsOf = (genotype) => Math.max(1, Math.ceil(genotype.edges.length / 4));

/**
 * The fragment shader of a CPPN. Its uniforms: `weights`, four to a vector; `corner`, of the window on the canvas in pixels,
 * and its `height`; `origin`, where the middle of the window's first pixel lies in the image, and `pace`, how far the next
 * one is, both in pixels of the image as it was classified; `shown`, a node that is drawn in grey, or -1 for the image.
 * @param {import("./cppn_program.js").Genotype} genotype
 * @param {boolean} every  whether any node can be shown; otherwise only the image
 */
export function fragmentShader(genotype, every = false) {
  const steps = stepsOf(genotype, every);
  const lines = steps.map(({ node, edges }) => {
    const terms = edges.map((place) => `${weight(place)} * n${genotype.edges[place].source}`);
    return `  float n${node.id} = ${NAMES[node.activation]}(${terms.length ? terms.join(" + ") : "0.0"});`;
  });
  const computed = [...genotype.nodes.filter((node) => node.kind === "input"), ...steps.map(({ node }) => node)];
  const choices = computed.map(({ id }) => `    case ${id}: v = n${id}; break;`);
  const outputs = genotype.nodes.filter((node) => node.kind === "output").map(({ id }) => `n${id}`);
  return `#version 300 es
precision highp float;
precision highp int;
uniform vec4 weights[${vectorsOf(genotype)}];
uniform vec2 corner, origin, pace;
uniform float height;
uniform int shown;
out vec4 colour;
${FUNCTIONS}
void main() {
  vec2 place = origin + pace * vec2(gl_FragCoord.x - corner.x - 0.5, corner.y + height - gl_FragCoord.y - 0.5);
  ${coordinates(genotype.raster)}
  float n3 = 1.0;
${lines.join("\n")}
${every ? `  if (shown >= 0) {
    float v = 0.0;
    switch (shown) {
${choices.join("\n")}
    }
    colour = vec4(vec3(floor(folded(v) * 255.0 + 0.5) / 255.0), 1.0);
    return;
  }` : ""}
  ${painting(genotype.raster, outputs)}
}`;
}

const weight = (place) => `weights[${place >> 2}].${"xyzw"[place & 3]}`;

// The inputs x, y and the distance; see `inputs` in cppn/rendering/__init__.py.
function coordinates({ size: [height, width], coordinates: kind }) {
  const short = Math.min(height, width);
  const axis = (name, side) =>
    `(2.0 * place.${name} - ${floatOf(side - 1)}) / ${floatOf(Math.max(side - 1, 1))} * ${floatOf(side / short)}`;
  return `float x = ${axis("x", width)};
  float y = ${axis("y", height)};
  float n0 = ${kind === "raw" ? "place.x" : "x"};
  float n1 = ${kind === "raw" ? "place.y" : "y"};
  float n2 = sqrt(x * x + y * y);`;
}

// From the outputs to a colour whose channels are whole levels of 255; see cppn/rendering/colour.py.
function painting({ colour, quantisation }, outputs) {
  const released = quantisation === "released";
  const [a, b, c] = outputs.map((name) => `folded(${name})`);
  const level = released ? "floor(c * 255.0)" : "floor(c * 255.0 + 0.5)";
  if (colour === "grey") return `float c = ${a};\n  colour = vec4(vec3(${level} / 255.0), 1.0);`;
  if (colour === "rgb") return `vec3 c = vec3(${a}, ${b}, ${c});\n  colour = vec4(${level} / 255.0, 1.0);`;
  const convert = colour === "hls" ? "fromHls" : "fromHsv";
  const [hue, unit] = released ? [floatOf(Math.fround(6) / Math.fround(180)), floatOf(1 / 255)] : ["6.0", "1.0"];
  const cut = (value, factor) => (released ? `floor(${value} * 255.0) * ${factor}` : `${value} * ${factor}`);
  const bytes = released ? "roundEven(c * 255.0)" : "floor(c * 255.0 + 0.5)";
  return `vec3 c = ${convert}(${cut(a, hue)}, ${cut(b, unit)}, ${cut(c, unit)});\n  colour = vec4(${bytes} / 255.0, 1.0);`;
}
