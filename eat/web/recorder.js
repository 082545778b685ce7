// In the audio thread: the mean of the channels, passed on in pieces of 2048 samples.
class Recorder extends AudioWorkletProcessor {
  piece = new Float32Array(2048);
  filled = 0;
  process([channels]) {
    if (!channels.length) return true;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const c of channels) sum += c[i];
      this.piece[this.filled++] = sum/channels.length;
      if (this.filled < this.piece.length) continue;
      this.port.postMessage(this.piece, [this.piece.buffer]);
      this.piece = new Float32Array(2048);
      this.filled = 0;
    }
    return true;
  }
}
registerProcessor("recorder", Recorder);
