import { LineCounter, parseDocument } from 'yaml';
import type { Files } from '../../src/core/ports.js';
import { loadManifestText } from '../../src/manifest/load.js';

const TRACKS = 5_000;
const ROUNDS = 9;
/** What `validate` may cost, as a multiple of reading the same file with `yaml` alone. */
const RATIO_MAX = 3;

/** A typical manifest: a title, a prompt of a line or two, lyrics for every other track. */
function manifestText(tracks: number): string {
  const lines = ['version: 1', 'title: Benchmark', 'output: out/{index}-{id}.{ext}', 'budget: 500'];
  lines.push('defaults: { model: elevenlabs-music, duration_seconds: 60 }', 'tracks:');
  for (let index = 1; index <= tracks; index += 1) {
    lines.push(`  - id: track-${index}`, `    title: Track number ${index}`);
    lines.push(
      `    prompt: Uplifting indie-folk, acoustic guitars, ${60 + (index % 120)} BPM, major key, no. ${index}`,
    );
    if (index % 2 === 0)
      lines.push('    lyrics_prompt: |', `      [Verse] The ${index}th mile`, '      [Chorus] Home');
    if (index % 5 === 0) lines.push('    takes: 2');
  }
  return `${lines.join('\n')}\n`;
}

/** Without lyrics files. */
const noFiles = {} as Files;

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const text = manifestText(TRACKS);
const parseOnly = () => parseDocument(text, { lineCounter: new LineCounter() });
const load = async () => {
  const { manifest } = await loadManifestText(noFiles, text, '/bench/album.yaml', 'album.yaml');
  if (manifest === undefined) throw new Error('the benchmark manifest has errors');
};

await timed(parseOnly);
await timed(load);
const parsing: number[] = [];
const loading: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  parsing.push(await timed(parseOnly));
  loading.push(await timed(load));
}
const ratio = median(loading) / median(parsing);
console.log(
  `validate ${TRACKS.toLocaleString('en-US')} tracks (${(text.length / 1e6).toFixed(2)} MB), median of ${ROUNDS} rounds`,
);
console.log(`  yaml parseDocument  ${median(parsing).toFixed(0).padStart(6)} ms   1.00`);
console.log(
  `  loadManifest        ${median(loading).toFixed(0).padStart(6)} ms   ${ratio.toFixed(2)}  (at most ${RATIO_MAX})`,
);
if (ratio > RATIO_MAX) process.exitCode = 1;
