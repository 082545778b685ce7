// A worker: the network, so that the page stays alive while it computes.
import * as ort from "./ort/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // threads need headers that a simple server does not send
ort.env.wasm.wasmPaths = new URL("./ort/", self.location).href;

async function read(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} is missing on the server (${answer.status})`);
  const size = +answer.headers.get("content-length"), parts = [];
  let n = 0;
  for (const reader = answer.body.getReader(); ;) {
    const {done, value} = await reader.read();
    if (done) break;
    parts.push(value);
    n += value.length;
    if (size) postMessage({loaded: n/size});
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

let session;
async function scores(x) {
  const input = new ort.Tensor("float32", x, [1, 1, x.length]);
  const output = await session.run({waveforms: input});
  return output.scores.data;
}

try {
  session = await ort.InferenceSession.create(await read("model.onnx"), {executionProviders: ["wasm"]});
  postMessage({ready: true});
} catch (e) {
  postMessage({error: `The network cannot be loaded: ${e.message}`});
}

onmessage = async ({data}) => {
  try {
    const begin = performance.now();
    const found = await scores(data.x);
    postMessage({id: data.id, scores: found, ms: performance.now() - begin});
  } catch (e) {
    postMessage({id: data.id, error: `The network failed: ${e.message}`});
  }
};
