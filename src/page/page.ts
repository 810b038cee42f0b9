import type { ReviewData, ReviewTake, ReviewTrack } from '../review/data.js';
import type { Source } from './data-source.js';
import { fill } from './dom.js';
import type { Header } from './page-header.js';
import type { Playable, Player } from './player.js';
import type { PlayerBar } from './player-bar.js';
import type { TrackList } from './track-list.js';
import { firstTake } from './track-view.js';
import type { Waveforms } from './waveforms.js';
import { inSentence, titleOf } from './words.js';

/** The parts of the page, and its state. */
export interface Page {
  readonly source: Source;
  readonly header: Header;
  readonly list: TrackList;
  readonly player: Player;
  readonly bar: PlayerBar;
  readonly waveforms: Waveforms;
  /** Read out by a screen reader, not shown. */
  readonly live: HTMLElement;
  /** Shows errors. */
  readonly alert: HTMLElement;
  data: ReviewData;
  /** Whether the last attempt to get new data failed. */
  isStale: boolean;
  /** The id of the track whose takes are in the player. */
  selected: string | undefined;
}

export function trackOf({ data, selected }: Page): ReviewTrack | undefined {
  return data.tracks.find(({ id }) => id === selected);
}

export function takeOf(page: Page): ReviewTake | undefined {
  return trackOf(page)?.takes.find(({ key }) => key === page.player.key);
}

/** Updates everything visible to match the player. */
export function render(page: Page): void {
  const { list, player, bar, selected } = page;
  const [track, take] = [trackOf(page), takeOf(page)];
  list.show({ selected, activeKey: player.key, playing: player.playing });
  bar.show(track && take && { track, take, playing: player.playing });
  renderTime(page);
}

export function renderTime(page: Page): void {
  const { player, bar, list, selected } = page;
  const duration = player.duration ?? takeOf(page)?.file?.sound?.durationSeconds;
  bar.time(player.position, duration);
  for (const { take, waveform } of list.view(selected ?? '')?.rows ?? [])
    waveform?.progress(take.key === player.key && duration ? player.position / duration : 0);
}

/** Applies new data from the source. Playback continues. */
export function takeOver(page: Page, data: ReviewData): void {
  const before = new Map(page.data.tracks.flatMap(({ takes }) => takes).map(({ key, file }) => [key, file]));
  const arrived = data.tracks.flatMap((track) =>
    track.takes
      .filter(({ key, file }) => file !== undefined && before.has(key) && before.get(key) === undefined)
      .map(({ name }) => `${titleOf(track)}, ${inSentence(name)}`),
  );
  page.data = data;
  document.title = `${data.title} – ${page.source.editable ? 'review' : 'report'}`;
  page.header.show(data);
  page.list.update(data);
  page.list.filter(page.header.filter);
  loadTakes(page);
  page.waveforms.retry();
  if (arrived.length > 0) say(page, `Arrived: ${arrived.join('; ')}`);
  render(page);
}

/** Loads the takes of the selected track into the player. */
export function loadTakes({ player, source, header, ...page }: Page): void {
  const track = page.data.tracks.find(({ id }) => id === page.selected);
  const takes = (track?.takes ?? []).flatMap(({ key, file }): Playable[] =>
    file === undefined
      ? []
      : [{ key, address: source.addressOf(file), loudnessLufs: file.sound?.loudnessLufs }],
  );
  player.load(takes, header.matchLoudness);
}

/** Makes a track the one that keys act on. */
export function select(page: Page, id: string, take?: ReviewTake): void {
  const isNew = page.selected !== id;
  const wasPlaying = page.player.playing;
  page.selected = id;
  if (isNew) loadTakes(page);
  const track = trackOf(page);
  const wanted = take ?? (isNew && track ? firstTake(track) : undefined);
  if (wanted?.file !== undefined) {
    page.player.select(wanted.key, isNew ? 0 : undefined);
    if (isNew && wasPlaying) page.player.play();
  }
  render(page);
}

export function say({ live }: Page, text: string): void {
  fill(live, text);
}

export function complain({ alert }: Page, text: string | undefined): void {
  alert.hidden = text === undefined;
  fill(alert, text);
}
