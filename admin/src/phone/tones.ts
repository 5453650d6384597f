// What the phone lets hear by itself: that it rings, that it rings at the other end, that a key was pressed.
const loud = 0.08;
const cadences = { ring: { on: 1, off: 2, hz: [480, 620] }, back: { on: 1, off: 4, hz: [425] } }; // seconds
const keySeconds = 0.12;
const rows = [697, 770, 852, 941];
const columns = [1209, 1336, 1477];
const keys = ['123', '456', '789', '*0#'];

export class Tones {
  private context = new AudioContext();
  private timer: ReturnType<typeof setInterval> | undefined;

  ready() {
    void this.context.resume().catch(() => {});
  }
  ring() {
    this.repeat(cadences.ring);
  }
  ringBack() {
    if (this.timer === undefined) this.repeat(cadences.back);
  }
  key(key: string) {
    const row = keys.findIndex((k) => k.includes(key));
    if (row >= 0) this.sound([rows[row] ?? 0, columns[(keys[row] ?? '').indexOf(key)] ?? 0], keySeconds);
  }
  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }
  close() {
    this.stop();
    void this.context.close().catch(() => {});
  }

  private repeat({ on, off, hz }: { on: number; off: number; hz: number[] }) {
    this.stop();
    this.ready();
    this.sound(hz, on);
    this.timer = setInterval(() => this.sound(hz, on), (on + off) * 1000);
  }

  private sound(hz: number[], seconds: number) {
    const gain = new GainNode(this.context, { gain: loud });
    gain.connect(this.context.destination);
    for (const frequency of hz) {
      const o = new OscillatorNode(this.context, { frequency });
      o.connect(gain);
      o.start();
      o.stop(this.context.currentTime + seconds);
    }
  }
}
