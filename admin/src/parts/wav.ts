// Sounds as the platform takes them: one channel, 8,000 or 16,000 samples a second. What else a browser can read is made into that here,
// before it is sent, so nobody needs another program for it.

const riffHeader = 12;
const chunkHeader = 8;
const formats = new Set([1, 6, 7]); // PCM, A-law, u-law (RFC 2361)
const rates = new Set([8000, 16000]);
const rate = 16000; // of what is made here
const channels = 1;
const sampleBytes = 2;
export const maxSoundBytes = 16_000_000; // as the API says
export const maxSourceBytes = 100_000_000; // of a file that is made into one: a browser holds all of it

const text = (view: DataView, at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

// takenAsItIs says whether a file needs nothing done to it.
export function takenAsItIs(bytes: ArrayBuffer): boolean {
  const view = new DataView(bytes);
  if (view.byteLength < riffHeader + chunkHeader || text(view, 0) !== 'RIFF' || text(view, 8) !== 'WAVE') return false;
  for (let at = riffHeader; at + chunkHeader + 16 <= view.byteLength; at += chunkHeader + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2)) {
    if (text(view, at) !== 'fmt ') continue;
    const f = at + chunkHeader;
    const format = view.getUint16(f, true);
    return formats.has(format) && view.getUint16(f + 2, true) === channels && rates.has(view.getUint32(f + 4, true)) && view.getUint16(f + 14, true) === (format === 1 ? 16 : 8);
  }
  return false;
}

// wavOf writes samples from -1 to 1 as a WAV file.
export function wavOf(samples: Float32Array): ArrayBuffer {
  const data = samples.length * sampleBytes;
  const view = new DataView(new ArrayBuffer(44 + data));
  const put = (at: number, word: string) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  put(0, 'RIFF');
  view.setUint32(4, 36 + data, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * sampleBytes, true);
  view.setUint16(32, sampleBytes, true);
  view.setUint16(34, sampleBytes * 8, true);
  put(36, 'data');
  view.setUint32(40, data, true);
  samples.forEach((s, i) => view.setInt16(44 + i * sampleBytes, Math.round(Math.max(-1, Math.min(1, s)) * 0x7fff), true));
  return view.buffer as ArrayBuffer;
}

// sound gives a file as the platform takes it, and whether it was changed for that.
export async function sound(file: File): Promise<{ wav: Blob; made: boolean }> {
  if (file.size > maxSourceBytes) throw new Error('The file is larger than 100 MB. Take a shorter one.');
  const bytes = await file.arrayBuffer();
  if (takenAsItIs(bytes)) return { wav: new Blob([bytes], { type: 'audio/wav' }), made: false };
  let read: AudioBuffer;
  try {
    read = await new OfflineAudioContext(channels, 1, rate).decodeAudioData(bytes);
  } catch {
    throw new Error('Your browser cannot read this sound. Take a WAV, MP3, Ogg or FLAC file.');
  }
  const context = new OfflineAudioContext(channels, Math.max(1, Math.ceil(read.duration * rate)), rate);
  const source = context.createBufferSource();
  source.buffer = read;
  source.connect(context.destination);
  source.start();
  const wav = wavOf((await context.startRendering()).getChannelData(0));
  if (wav.byteLength > maxSoundBytes) throw new Error('The sound is longer than 8 minutes. Take a shorter one.');
  return { wav: new Blob([wav], { type: 'audio/wav' }), made: true };
}
