import { BLOCK, type Material } from './loops.js';
import { RATE } from './synth.js';

/** A track as blocks of samples, generated one at a time. */
export interface Track {
  readonly samples: number;
  readonly blocks: number;
  /** Samples of block `index`: `BLOCK` of them, fewer in the last. Equal `key`s have equal samples. */
  block(index: number): { readonly samples: Int16Array; readonly key?: string };
}

/** Blocks over which the ends are faded. */
const FADE_BLOCKS = 3;

/** @param isLoop whether its end has to join its start; otherwise both are faded */
export function trackOf(material: Material, seconds: number, isLoop: boolean): Track {
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
      const ends = index >= blocks - FADE_BLOCKS - 1;
      if (isLoop && ends) return { samples: turnedOver(raw, material, index, samples) };
      const fades = !isLoop && (index < FADE_BLOCKS || ends);
      return fades ? { samples: faded(raw, index, samples) } : { samples: raw, key: `${name}:${start}` };
    },
  };
}

function spanOf(total: number): number {
  return Math.min(FADE_BLOCKS * BLOCK, Math.floor(total / 2));
}

function faded(raw: Int16Array, index: number, total: number): Int16Array {
  const span = spanOf(total);
  return raw.map((sample, offset) => {
    const place = index * BLOCK + offset;
    const gain = Math.min(1, (place + 1) / span, (total - place) / span);
    return Math.round(sample * gain);
  });
}

/** The last samples cross-fade to those that would precede the first. */
function turnedOver(raw: Int16Array, material: Material, index: number, total: number): Int16Array {
  const span = spanOf(total);
  const first = material.loops[material.order[0] ?? 0] ?? raw;
  return raw.map((sample, offset) => {
    const left = total - (index * BLOCK + offset);
    const over = Math.max(0, 1 - left / span);
    const before = first[(first.length - (left % first.length)) % first.length]!;
    return Math.round(sample * (1 - over) + before * over);
  });
}
