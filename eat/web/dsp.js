// Signal processing without a browser's help, so that every browser hears the same.

const gcd = (a, b) => b ? gcd(b, a % b) : a;
const sinc = t => t ? Math.sin(Math.PI*t)/(Math.PI*t) : 1;

// Another rate, piece by piece: a windowed sinc, one row of taps for each place between two samples.
export class Resampler {
  constructor(from, to, crossings = 24) {
    from = Math.round(from);
    const g = gcd(from, to), cutoff = Math.min(1, to/from)*.94;
    this.up = to/g;
    this.down = from/g;
    this.half = Math.ceil(crossings/cutoff);
    this.rows = Array.from({length: this.up}, (_, phase) => {
      const row = new Float32Array(2*this.half);
      for (let k = 0; k < row.length; k++) {
        const t = k - this.half + 1 - phase/this.up;
        row[k] = cutoff*sinc(cutoff*t)*(Math.abs(t) < this.half ? .5 + .5*Math.cos(Math.PI*t/this.half) : 0);
      }
      return row;
    });
    this.held = new Float32Array(this.half - 1); // zeros before the beginning
    this.place = 0; // of the next sample, in input samples times `up`, from the first one held
  }
  push(piece) {
    const x = new Float32Array(this.held.length + piece.length);
    x.set(this.held);
    x.set(piece, this.held.length);
    const y = [];
    let at = Math.floor(this.place/this.up);
    while (at + 2*this.half <= x.length) {
      const row = this.rows[this.place % this.up];
      let sum = 0;
      for (let k = 0; k < row.length; k++) sum += row[k]*x[at + k];
      y.push(sum);
      this.place += this.down;
      at = Math.floor(this.place/this.up);
    }
    const drop = Math.min(at, x.length);
    this.held = x.slice(drop);
    this.place -= drop*this.up;
    return Float32Array.from(y);
  }
}

export function resample(x, from, to) {
  if (Math.round(from) === to) return x;
  const r = new Resampler(from, to), n = Math.round(x.length*to/from), y = new Float32Array(n);
  let filled = 0;
  const put = part => {
    part = part.subarray(0, n - filled);
    y.set(part, filled);
    filled += part.length;
  };
  for (let i = 0; i < x.length; i += 65536) put(r.push(x.subarray(i, i + 65536)));
  put(r.push(new Float32Array(2*r.half)));
  return y;
}

// Magnitudes of the spectrum of a windowed frame, length a power of 2.
export class Spectrum {
  constructor(n) {
    this.n = n;
    this.window = Float32Array.from({length: n}, (_, i) => .5 - .5*Math.cos(2*Math.PI*i/n));
    this.cos = Float32Array.from({length: n/2}, (_, i) => Math.cos(2*Math.PI*i/n));
    this.sin = Float32Array.from({length: n/2}, (_, i) => Math.sin(2*Math.PI*i/n));
    const bits = Math.log2(n);
    this.order = Uint32Array.from({length: n}, (_, i) => {
      let r = 0;
      for (let b = 0; b < bits; b++) r |= (i >> b & 1) << (bits - 1 - b);
      return r;
    });
    this.re = new Float32Array(n);
    this.im = new Float32Array(n);
  }
  of(x, start) {
    const {n, re, im, cos, sin} = this;
    for (let i = 0; i < n; i++) {
      const j = this.order[i];
      re[i] = (x[start + j] || 0)*this.window[j];
      im[i] = 0;
    }
    for (let size = 2; size <= n; size *= 2) {
      for (let i = 0; i < n; i += size) {
        for (let k = 0; k < size/2; k++) {
          const c = cos[k*n/size], s = -sin[k*n/size], a = i + k, b = a + size/2;
          const tr = re[b]*c - im[b]*s, ti = re[b]*s + im[b]*c;
          re[b] = re[a] - tr;
          im[b] = im[a] - ti;
          re[a] += tr;
          im[a] += ti;
        }
      }
    }
    return Float32Array.from({length: n/2}, (_, i) => Math.hypot(re[i], im[i])*4/n);
  }
}

// Rows of a picture, low pitches first: the bins of each band of equal width on the mel scale.
export function melRows(rows, n, sr) {
  const mel = f => Math.log(1 + f/700), hz = m => 700*(Math.exp(m) - 1), top = mel(sr/2);
  return Array.from({length: rows}, (_, r) => {
    const low = Math.floor(hz(top*r/rows)*n/sr), high = Math.max(low + 1, Math.floor(hz(top*(r + 1)/rows)*n/sr));
    return [Math.min(low, n/2 - 1), Math.min(high, n/2)];
  });
}

export const softmax = z => {
  const top = Math.max(...z), e = Array.from(z, v => Math.exp(v - top)), sum = e.reduce((a, b) => a + b);
  return e.map(v => v/sum);
};
export const sigmoid = z => Array.from(z, v => 1/(1 + Math.exp(-v)));
export const sharpen = (p, temperature) => softmax(p.map(v => Math.log(Math.max(v, 1e-30))/temperature));

// Mean, and largest distance from it, without up to three isolated samples that tower over all others by 20 dB: a click
// (`eat.data.mean_and_peak`). `silence` is the peak of what counts as silent.
export function level(x, silence, tower = 10) {
  const parts = Math.min(64, x.length), size = Math.floor(x.length/parts);
  const means = Float64Array.from({length: parts}, (_, i) => {
    let sum = 0;
    for (const v of x.subarray(i*size, (i + 1)*size)) sum += v;
    return sum/size;
  });
  const middle = means.sort()[Math.floor(parts/2)], largest = [0, 0, 0, 0]; // the four largest distances, ascending
  for (const v of x) {
    if (Math.abs(v - middle) > largest[0]) {
      largest[0] = Math.abs(v - middle);
      largest.sort((p, q) => p - q);
    }
  }
  const click = v => largest[0] >= silence && Math.abs(v - middle) > tower*largest[0];
  let mean = 0, kept = 0, peak = 0;
  for (const v of x) if (!click(v)) { mean += v; kept++; }
  mean /= kept;
  for (const v of x) if (!click(v)) peak = Math.max(peak, Math.abs(v - mean));
  return {mean, peak};
}
