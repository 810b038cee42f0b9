/** A playable take of a track. */
export interface Playable {
  readonly key: string;
  readonly address: string;
  readonly loudnessLufs: number | undefined;
}

export interface Player {
  /** Key of the loaded take, or `undefined`. */
  readonly key: string | undefined;
  readonly playing: boolean;
  /** Seconds. */
  readonly position: number;
  /** Seconds; `undefined` until known. */
  readonly duration: number | undefined;
  /**
   * Loads the takes of a track. Takes that were already loaded continue.
   *
   * @param match whether all play as loud as the quietest
   */
  load(takes: readonly Playable[], match: boolean): void;
  /** Continues with another take of the track at the same position, or at `at` seconds. */
  select(key: string, at?: number): void;
  play(): void;
  pause(): void;
  /** Seconds. */
  seek(position: number): void;
}

interface Voice {
  readonly audio: HTMLAudioElement;
  readonly take: Playable;
}

/**
 * One audio element per take of the track, so that switching takes is instant. Loudness is matched only by volume,
 * which also works from `file://`, where a page may not read the samples of a file.
 *
 * @param changed called on every change except of the position
 * @param failed called if the browser cannot play a file
 */
export function createPlayer(changed: () => void, failed: (key: string) => void): Player {
  let voices = new Map<string, Voice>();
  let active: Voice | undefined;
  let playing = false;

  const start = (voice: Voice) => {
    voice.audio.play().catch((error: unknown) => {
      // Interrupted by a switch or a pause.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      if (voice !== active) return;
      playing = false;
      failed(voice.take.key);
      changed();
    });
  };
  const create = (take: Playable): Voice => {
    const audio = new Audio();
    audio.preload = 'auto';
    audio.src = take.address;
    const voice = { audio, take };
    audio.addEventListener('ended', () => {
      if (voice !== active) return;
      playing = false;
      changed();
    });
    audio.addEventListener('durationchange', () => voice === active && changed());
    return voice;
  };
  return {
    get key() {
      return active?.take.key;
    },
    get playing() {
      return playing;
    },
    get position() {
      return active?.audio.currentTime ?? 0;
    },
    get duration() {
      const seconds = active?.audio.duration;
      return seconds === undefined || !Number.isFinite(seconds) ? undefined : seconds;
    },
    load(takes, match) {
      const gains = gainsOf(takes);
      const next = new Map(takes.map((take) => [take.key, voices.get(take.key) ?? create(take)]));
      for (const [key, { audio }] of voices)
        if (!next.has(key)) {
          audio.pause();
          audio.removeAttribute('src');
          audio.load();
        }
      for (const [key, { audio }] of next) audio.volume = match ? (gains.get(key) ?? 1) : 1;
      voices = next;
      if (active !== undefined && !next.has(active.take.key)) {
        active = undefined;
        playing = false;
      }
    },
    select(key, at = active?.audio.currentTime ?? 0) {
      const voice = voices.get(key);
      if (voice === undefined) return;
      if (voice !== active) active?.audio.pause();
      active = voice;
      moveTo(voice.audio, at);
      if (playing) start(voice);
      changed();
    },
    play() {
      if (active === undefined) return;
      playing = true;
      start(active);
      changed();
    },
    pause() {
      playing = false;
      active?.audio.pause();
      changed();
    },
    seek(position) {
      if (active === undefined) return;
      moveTo(active.audio, Math.max(0, position));
      changed();
    },
  };
}

/** While the length of a file is unknown, the browser remembers where to start. */
function moveTo(audio: HTMLAudioElement, position: number): void {
  audio.currentTime = Number.isFinite(audio.duration) ? Math.min(position, audio.duration) : position;
}

/**
 * Volumes from 0 to 1 that make every take as loud as the quietest one. Takes that were not measured stay as they are.
 */
export function gainsOf(
  takes: readonly Pick<Playable, 'key' | 'loudnessLufs'>[],
): ReadonlyMap<string, number> {
  const measured = takes.flatMap(({ key, loudnessLufs }) =>
    loudnessLufs === undefined ? [] : [{ key, loudnessLufs }],
  );
  const quietest = Math.min(...measured.map(({ loudnessLufs }) => loudnessLufs));
  return new Map(
    measured.map(({ key, loudnessLufs }) => [key, 10 ** ((quietest - loudnessLufs) / 20)] as const),
  );
}
