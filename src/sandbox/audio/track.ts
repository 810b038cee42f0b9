import { BLOCK, type Material } from './loops.js';
import { RATE } from './synth.js';

/** A track as blocks of samples, made one at a time. */
export interface Track {
  readonly samples: number;
  readonly blocks: number;
  /** Samples of block `index`: `BLOCK` of them, fewer in the last. Equal `key`s have equal samples. */
  block(index: number): { readonly samples: Int16Array; readonly key?: string };
}

/** Blocks over which the ends are faded. */
const FADE_BLOCKS = 3;

export function trackOf(material: Material, seconds: number): Track {
  const samples = Math.max(1, Math.round(seconds * RATE));
  const blocks = Math.ceil(samples / BLOCK);
  const loopBlocks = (material.loops[0]?.length ?? BLOCK) / BLOCK;
  return {
    samples,
    blocks,
    block(index) {
      const turn = Math.floor(index / loopBlocks);
      const name = material.order[turn % material.order.length] ?? 0;
      const loop = material.loops[name] ?? new Int16Array(BLOCK);
      const start = (index % loopBlocks) * BLOCK;
      const length = Math.min(BLOCK, samples - index * BLOCK);
      const raw = loop.subarray(start, start + length);
      const fades = index < FADE_BLOCKS || index >= blocks - FADE_BLOCKS;
      return fades ? { samples: faded(raw, index, samples) } : { samples: raw, key: `${name}:${start}` };
    },
  };
}

function faded(raw: Int16Array, index: number, total: number): Int16Array {
  const span = Math.min(FADE_BLOCKS * BLOCK, Math.floor(total / 2));
  return raw.map((sample, offset) => {
    const place = index * BLOCK + offset;
    const gain = Math.min(1, (place + 1) / span, (total - place) / span);
    return Math.round(sample * gain);
  });
}
