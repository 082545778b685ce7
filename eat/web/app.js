// Microphone or file in; label, strip, bars and a list of what was heard out. The network is in model.js.
import {Resampler, level, resample, sharpen, sigmoid, softmax} from "./dsp.js";
import {Timeline, colour} from "./timeline.js";

const $ = id => document.getElementById(id);
const LIVE = 20, LONGEST = 30*60; // seconds on the screen; of a file

const about = await (await fetch("model.json")).json();
const {classes, sr, n_samples: whole, silence, quiet} = about;
const nice = name => name.replaceAll("_", " ");
const time = s => `${Math.floor(s/60)}:${String(Math.floor(s % 60)).padStart(2, "0")}.${Math.floor(s*10 % 10)}`;
const timeline = new Timeline($("timeline"), sr, classes, nice);

let mode = "idle"; // or "live", "file"
let stopNow = () => {};
let threshold = .5;

// ---- what is said ----

function say(text) { $("status").textContent = text; }
function fail(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

function buildBars() {
  $("bars").replaceChildren(...classes.slice(0, 6).map(() => {
    const row = document.createElement("li");
    row.innerHTML = `<span class="name"></span><span class="bar"><div></div></span><span class="p"></span>`;
    return row;
  }));
}
function showBars(p) {
  const order = p.map((v, i) => [v, i]).sort((a, b) => b[0] - a[0]);
  [...$("bars").children].forEach((row, n) => {
    const [v, i] = order[n];
    row.children[0].textContent = nice(classes[i]);
    row.children[1].firstChild.style.transform = `scaleX(${v})`;
    row.children[1].firstChild.style.background = colour(i);
    row.children[2].textContent = `${(100*v).toFixed(0)} %`;
  });
}
function best(p) {
  const i = p.indexOf(Math.max(...p));
  return {index: i, p: p[i]};
}
function showLabel(p, when = "") {
  const {index, p: sure} = best(p), percent = `${(100*sure).toFixed(0)} %`;
  $("label").textContent = sure >= threshold ? nice(classes[index]) : "not sure";
  $("sure").textContent = when + (sure >= threshold ? percent : `perhaps ${nice(classes[index])}, ${percent}`);
  showBars(p);
}
function showNothing(label) {
  $("label").textContent = label;
  $("sure").textContent = "\u00a0";
  showBars(classes.map(() => 0));
}
function showLevel(peak) {
  const dB = Math.max(-70, 20*Math.log10(peak + 1e-9));
  $("meter").firstElementChild.style.height = `${100*(dB + 70)/70}%`;
  $("meter").setAttribute("aria-valuenow", dB.toFixed(0));
}

function events() { // neighbours with the same label, joined
  const found = [];
  for (const {from, to, index, p} of timeline.labels) {
    if (index < 0 || p < threshold) continue;
    const last = found.at(-1);
    if (last && last.index === index && from <= last.to + .05) {
      last.to = to;
      last.p = Math.max(last.p, p);
    } else found.push({from, to, index, p});
  }
  return found;
}
let address;
function showEvents() {
  const found = events();
  $("nothing").hidden = found.length > 0;
  $("save").hidden = !found.length || mode !== "idle";
  $("events").replaceChildren(...found.slice(-100).reverse().map(({from, to, index, p}) => {
    const row = document.createElement("li"), when = document.createElement("span"), what = document.createElement("span"), dot = document.createElement("i");
    when.className = "t";
    when.textContent = `${time(from)} – ${time(to)}`;
    dot.style.background = colour(index);
    what.append(dot, `${nice(classes[index])}, ${(100*p).toFixed(0)} %`);
    row.append(when, what);
    return row;
  }));
  if ($("save").hidden) return;
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob(found.map(e => `${e.from.toFixed(3)}\t${e.to.toFixed(3)}\t${classes[e.index]}\n`)));
  $("save").href = address;
}

// ---- the network ----

const worker = new Worker("model.js", {type: "module"});
const waiting = new Map();
let asked = 0;
function ask(x) { // -> {scores, ms}
  return new Promise((done, failed) => {
    waiting.set(++asked, {done, failed});
    worker.postMessage({id: asked, x}, [x.buffer]);
  });
}
worker.onerror = () => fail("The network cannot be loaded: this browser lacks module workers or WebAssembly, or a file is missing on the server.");
worker.onmessage = ({data}) => {
  if (data.loaded) return say(`Loading the network, ${(100*data.loaded).toFixed(0)} %`);
  if (data.ready) {
    $("listen").disabled = $("file").disabled = false;
    return say("Ready.");
  }
  const job = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error) {
    fail(data.error);
    job?.failed(new Error(data.error));
  } else job.done(data);
};
const probabilities = scores => about.task === "multi" ? sigmoid(scores) : softmax(scores);
const calibrated = p => about.task === "multi" ? p : sharpen(p, about.temperature);

function begin(now) {
  mode = now;
  fail("");
  $("listen").textContent = now === "idle" ? "Listen" : "Stop";
  $("file").disabled = now !== "idle";
  $("choose").classList.toggle("off", now !== "idle");
}

// ---- the microphone ----

const REASONS = {
  NotFoundError: "No microphone was found. Sound files can be opened all the same.",
  NotAllowedError: "The microphone was not allowed. The browser's address bar has a switch for it; sound files can be opened all the same.",
  NotReadableError: "The microphone is in use by another program, or was unplugged.",
};

async function openMicrophone(hear) { // -> a function that closes it
  if (!navigator.mediaDevices) throw new Error("The microphone needs a page from https or from localhost.");
  const untouched = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const stream = await navigator.mediaDevices.getUserMedia({audio: untouched});
  const context = new AudioContext();
  await context.audioWorklet.addModule("recorder.js");
  await context.resume();
  const node = new AudioWorkletNode(context, "recorder", {numberOfOutputs: 0});
  const resampler = new Resampler(context.sampleRate, sr);
  node.port.onmessage = ({data}) => hear(resampler.push(data));
  context.createMediaStreamSource(stream).connect(node);
  const close = () => {
    stream.getTracks().forEach(t => t.stop());
    context.close();
  };
  return {close, stream};
}

async function listen() {
  begin("live");
  showNothing("…");
  $("player").hidden = true;
  timeline.start(LIVE);
  const memory = new Float32Array(whole); // the last samples
  let total = 0, last = 0, busy = false, loudest = 0, hop = sr/4;
  const answer = async () => {
    const n = Math.min(total, whole), x = memory.slice(whole - n), {peak} = level(x, silence), t = total/sr, since = last/sr;
    last = total;
    loudest = Math.max(loudest*.998, peak); // forgets a bang after a while
    if (peak < silence || peak < loudest/quiet) {
      timeline.label(since, t, -1, 0);
      return showNothing("quiet");
    }
    busy = true;
    const {scores, ms} = await ask(x);
    busy = false;
    if (mode !== "live") return;
    hop = Math.max(sr/4, 1.3*ms*sr/1000); // as often as this machine can
    const p = calibrated(probabilities(scores)), {index, p: sure} = best(p);
    timeline.label(since, t, index, sure);
    showLabel(p);
    showEvents();
    say(`Listening: the network hears the last ${(n/sr).toFixed(1)} s, ${ms.toFixed(0)} ms an answer.`);
  };
  const hear = piece => {
    if (!piece.length) return;
    memory.copyWithin(0, piece.length);
    memory.set(piece, whole - piece.length);
    total += piece.length;
    timeline.hear(piece);
    showLevel(level(piece, silence).peak);
    if (!busy && total - last >= hop && total >= sr/2) answer().catch(stop);
  };
  const stop = () => {
    microphone?.close();
    showLevel(0);
    timeline.stop();
    begin("idle");
    showEvents();
    say("Stopped.");
    if (!total) showNothing("Not listening");
  };
  let microphone;
  stopNow = stop;
  try {
    microphone = await openMicrophone(hear);
    if (mode !== "live") return microphone.close(); // stopped meanwhile
    microphone.stream.getAudioTracks()[0].onended = () => {
      stop();
      fail(REASONS.NotReadableError);
    };
    say("Listening.");
  } catch (e) {
    stop();
    fail(REASONS[e.name] ?? e.message);
  }
}

// ---- a file ----

async function decode(file) { // -> samples at the network's rate
  const bytes = await file.arrayBuffer();
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
  } catch {
    throw new Error(`${file.name} is no sound that this browser can read (wav, mp3, ogg, flac, m4a usually are).`);
  }
  if (sound.duration > LONGEST) throw new Error(`${file.name} has ${Math.round(sound.duration/60)} minutes, at most ${LONGEST/60} fit here: eat_predict takes any length.`);
  if (!sound.length) throw new Error(`${file.name} is empty.`);
  const mono = new Float32Array(sound.length);
  for (let c = 0; c < sound.numberOfChannels; c++) {
    const x = sound.getChannelData(c);
    for (let i = 0; i < x.length; i++) mono[i] += x[i]/sound.numberOfChannels;
  }
  return resample(mono, 48000, sr);
}

function cut(x, start) { // a window; what is shorter loses its mean before zeros are added, as in training
  if (x.length >= whole) return x.slice(start, start + whole);
  const {mean} = level(x, silence), w = new Float32Array(whole);
  x.forEach((v, i) => w[i] = v - mean);
  return w;
}

async function openFile(file) {
  if (mode !== "idle") return;
  begin("file");
  showNothing("…");
  stopNow = () => mode = "idle";
  let problem = "";
  try {
    say(`Reading ${file.name} …`);
    const x = await decode(file);
    timeline.start(x.length/sr, true);
    timeline.hear(x);
    $("player").src = URL.createObjectURL(file);
    $("player").hidden = false;
    await classify(x, file.name);
  } catch (e) {
    showNothing("Not listening");
    say("");
    problem = e.message;
  }
  timeline.stop();
  begin("idle");
  showEvents();
  fail(problem);
}

async function classify(x, name) {
  // windows as `Classifier.predict` cuts them, and one between each two for the strip
  const last = Math.max(0, x.length - whole), hop = Math.max(1, whole - Math.floor(about.overlap*whole));
  const starts = [];
  for (let s = 0; s < last; s += hop/2) starts.push(Math.round(s));
  starts.push(last);
  const each = [];
  for (const [k, start] of starts.entries()) {
    if (mode !== "file") break;
    const w = cut(x, start), {peak} = level(w, silence), middle = s => (s + Math.min(whole, x.length)/2)/sr;
    const from = k ? (middle(starts[k - 1]) + middle(start))/2 : 0;
    const to = k + 1 < starts.length ? (middle(start) + middle(starts[k + 1]))/2 : x.length/sr;
    const p = peak < silence ? null : probabilities((await ask(w)).scores);
    each.push({p, peak, from, to, votes: !(k % 2) || k + 1 === starts.length});
    const sure = p && best(calibrated(p));
    timeline.label(from, to, sure ? sure.index : -1, sure ? sure.p : 0, p && calibrated(p));
    say(`${name}: ${(100*(k + 1)/starts.length).toFixed(0)} %`);
  }
  const loudest = Math.max(...each.map(e => e.peak));
  const voting = each.filter(e => e.votes && e.p && e.peak >= loudest/quiet);
  each.forEach((e, k) => { if (e.peak < loudest/quiet) timeline.labels[k].index = -1; });
  if (!voting.length) return showNothing("quiet");
  const weight = e => about.vote === "level" && about.task !== "multi" ? e.peak : 1;
  const all = voting.reduce((sum, e) => sum + weight(e), 0);
  const mean = classes.map((_, i) => voting.reduce((sum, e) => sum + weight(e)*e.p[i], 0)/all);
  showLabel(calibrated(mean), voting.length > 1 ? "on the whole: " : "");
  say(`${name}: ${time(x.length/sr)}, the answer is the mean over ${voting.length} window${voting.length > 1 ? "s" : ""}.`);
}

// ---- the page ----

$("listen").onclick = () => mode === "idle" ? listen() : stopNow();
$("file").onchange = () => {
  if ($("file").files[0]) openFile($("file").files[0]);
  $("file").value = "";
};
$("choose").onkeydown = e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); $("file").click(); } };
$("threshold").oninput = () => {
  threshold = $("threshold").value/100;
  timeline.threshold = threshold;
  $("least_text").textContent = `${$("threshold").value} %`;
  timeline.draw();
  showEvents();
};
$("player").ontimeupdate = $("player").onseeked = () => { // what is said at the place that is played
  const t = $("player").currentTime, there = timeline.labels.find(l => l.from <= t && t < l.to);
  timeline.cursor(t);
  if (mode !== "idle" || !there) return;
  if (there.index < 0) showNothing("quiet");
  else showLabel(there.all, `${time(t)}: `);
};
$("timeline").onclick = e => {
  if ($("player").hidden) return;
  $("player").currentTime = timeline.at(e.offsetX);
};
$("timeline").onkeydown = e => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[e.key];
  if (!step || $("player").hidden) return;
  $("player").currentTime += step;
  e.preventDefault();
};
let inside = 0;
addEventListener("dragenter", e => { e.preventDefault(); inside++; $("drop").hidden = false; });
addEventListener("dragleave", () => { if (!--inside) $("drop").hidden = true; });
addEventListener("dragover", e => e.preventDefault());
addEventListener("drop", e => {
  e.preventDefault();
  inside = 0;
  $("drop").hidden = true;
  const file = e.dataTransfer.files[0];
  if (!file) return fail("Nothing that could be read was dropped: a sound file is wanted.");
  if ($("file").disabled) return fail("Stop first, then drop a file.");
  openFile(file);
});

document.title = `${about.title} listens`;
document.querySelector("h1").textContent = `${about.title} listens`;
$("about").textContent = `It knows ${classes.length} sounds and runs in this page: what it hears stays on this device.`;
$("about").title = classes.map(nice).join(", ");
$("facts").textContent = about.facts;
buildBars();
showNothing("Not listening");
timeline.draw();
