// A spectrogram that grows, and below it a strip of labels.
import {Spectrum, melRows} from "./dsp.js";

const ROWS = 96, STRIP = 34, AXIS = 18, RANGE = 65; // rows of the picture, heights, dB from black to white
const DARK = [[10, 8, 20], [60, 20, 110], [150, 40, 120], [235, 100, 80], [255, 215, 140], [255, 255, 230]];
const LIGHT = [[255, 255, 255], [232, 226, 246], [180, 160, 226], [122, 88, 200], [70, 36, 140], [30, 10, 70]];

export const colour = index => `hsl(${(index*137.5 + 250) % 360} 65% 72%)`;

function shades(stops) { // 256 colours, as the bytes of a pixel lie in memory
  const pixels = new Uint8ClampedArray(4*256);
  for (let v = 0; v < 256; v++) {
    const at = v/255*(stops.length - 1), i = Math.min(stops.length - 2, Math.floor(at)), f = at - i;
    pixels.set([...stops[i].map((c, k) => c + f*(stops[i + 1][k] - c)), 255], 4*v);
  }
  return new Uint32Array(pixels.buffer);
}
const SHADES = {dark: shades(DARK), light: shades(LIGHT)};

export class Timeline {
  constructor(canvas, sr, names, nice) {
    Object.assign(this, {canvas, sr, names, nice, threshold: .5, labels: [], columns: [], span: 20, total: 0, whole: false, mark: null});
    this.n = 2**Math.round(Math.log2(sr*.046));
    this.spectrum = new Spectrum(this.n);
    this.rows = melRows(ROWS, this.n, sr);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.onchange = () => this.draw();
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.picture = document.createElement("canvas");
    this.running = false;
  }
  start(span, whole = false) { // `whole`: all of a file, else the last seconds
    Object.assign(this, {labels: [], columns: [], span, whole, total: 0, mark: null, top: -40, rest: new Float32Array(0)});
    this.hop = whole ? Math.max(Math.round(this.sr/43), Math.ceil(span*this.sr/1600)) : Math.round(this.sr/43);
    this.running = true;
    const frame = () => {
      this.draw();
      if (this.running) requestAnimationFrame(frame);
    };
    frame();
  }
  stop() {
    this.running = false;
    this.draw();
  }
  hear(piece) {
    const x = new Float32Array(this.rest.length + piece.length);
    x.set(this.rest);
    x.set(piece, this.rest.length);
    let at = 0;
    const need = this.whole ? this.hop : Math.max(this.n, this.hop);
    for (; at + need <= x.length; at += this.hop) {
      const magnitudes = this.spectrum.of(x, at);
      const column = Float32Array.from(this.rows, ([low, high]) => {
        let most = 0;
        for (let i = low; i < high; i++) most = Math.max(most, magnitudes[i]);
        return 20*Math.log10(most + 1e-9);
      });
      this.top = Math.max(this.top, ...column);
      this.columns.push(column);
    }
    this.rest = x.slice(at);
    this.total += piece.length;
    const most = Math.ceil(this.span*this.sr/this.hop) + 2;
    if (!this.whole && this.columns.length > 2*most) this.columns = this.columns.slice(-most);
    this.seen = (this.total - this.rest.length)/this.sr; // where the last column ends
  }
  label(from, to, index, p, all = null) { this.labels.push({from, to, index, p, all}); } // `all`: of each class
  get begin() { return this.whole ? 0 : Math.max(0, this.total/this.sr - this.span); }
  at(px) { return this.begin + px/this.canvas.clientWidth*this.span; }
  cursor(t) {
    this.mark = t;
    this.draw();
  }
  paint() { // the columns, a pixel each
    const width = this.columns.length, image = new ImageData(width, ROWS), pixels = new Uint32Array(image.data.buffer);
    const shade = this.dark.matches ? SHADES.dark : SHADES.light, low = this.top - RANGE;
    for (let x = 0; x < width; x++) {
      const column = this.columns[x];
      for (let r = 0; r < ROWS; r++) {
        const v = (column[r] - low)/RANGE*255;
        pixels[(ROWS - 1 - r)*width + x] = shade[v > 255 ? 255 : v < 0 ? 0 : v | 0];
      }
    }
    this.picture.width = width;
    this.picture.height = ROWS;
    this.picture.getContext("2d").putImageData(image, 0, 0);
  }
  draw() {
    const {canvas, span, begin} = this, w = canvas.clientWidth, h = canvas.clientHeight, scale = devicePixelRatio || 1;
    if (!w) return;
    if (canvas.width !== Math.round(w*scale) || canvas.height !== Math.round(h*scale)) {
      canvas.width = Math.round(w*scale);
      canvas.height = Math.round(h*scale);
    }
    const g = canvas.getContext("2d"), high = h - STRIP - AXIS;
    const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--soft"), track = style.getPropertyValue("--track");
    const px = t => (t - begin)/span*w;
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    g.fillStyle = `rgb(${(this.dark.matches ? DARK : LIGHT)[0]})`;
    g.fillRect(0, 0, w, high);
    if (this.columns.length) {
      this.paint();
      const to = px(this.seen), from = px(this.seen - this.columns.length*this.hop/this.sr);
      g.drawImage(this.picture, from, 0, to - from, high);
    } else if (!this.running) {
      g.fillStyle = ink;
      g.font = "15px system-ui, sans-serif";
      g.textAlign = "center";
      g.fillText("Press Listen, or drop a sound file here", w/2, high/2);
      g.textAlign = "left";
    }
    g.fillStyle = track;
    g.fillRect(0, high + 3, w, STRIP - 3);
    this.strip(g, px, w, high + 3);
    this.axis(g, px, w, h, ink);
    if (this.mark !== null) {
      g.fillStyle = style.getPropertyValue("--accent");
      g.fillRect(px(this.mark) - 1, 0, 2, h - AXIS);
    }
  }
  strip(g, px, w, y) {
    const shown = [];
    for (const {from, to, index, p} of this.labels) {
      if (index < 0 || p < this.threshold || px(to) < 0) continue;
      const last = shown.at(-1);
      if (last && last.index === index && from <= last.to + .05) last.to = to;
      else shown.push({from, to, index});
    }
    g.font = "600 13px system-ui, sans-serif";
    g.textBaseline = "middle";
    for (const {from, to, index} of shown) {
      const a = Math.max(0, px(from)), b = Math.min(w, px(to));
      g.fillStyle = colour(index);
      g.fillRect(a, y, Math.max(1, b - a - 1), STRIP - 3);
      g.save();
      g.beginPath();
      g.rect(a, y, b - a - 2, STRIP);
      g.clip();
      g.fillStyle = "#15131c";
      if (b - a > 26) g.fillText(this.nice(this.names[index]), a + 6, y + (STRIP - 3)/2);
      g.restore();
    }
  }
  axis(g, px, w, h, ink) {
    const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600], step = steps.find(s => w*s/this.span > 60) ?? 600;
    g.fillStyle = ink;
    g.font = "11px system-ui, sans-serif";
    g.textBaseline = "bottom";
    for (let t = Math.ceil(this.begin/step)*step; t <= this.begin + this.span; t += step) {
      const text = t < 60 ? `${t} s` : `${Math.floor(t/60)}:${String(t % 60).padStart(2, "0")}`;
      if (px(t) < w - 24) g.fillText(text, px(t) + 2, h - 1);
      g.fillRect(px(t), h - AXIS + 2, 1, 5);
    }
  }
}
