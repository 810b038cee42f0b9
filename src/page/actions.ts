import type { PickRequest, ReviewTake } from '../review/data.js';
import type { KeyActions } from './keyboard.js';
import { complain, type Page, renderTime, say, select, takeOf, takeOver, trackOf } from './page.js';
import type { BarActions } from './player-bar.js';
import type { TrackActions } from './track-view.js';
import { inSentence, titleOf } from './words.js';

/** Keyboard actions. */
export function keyActions(page: Page): KeyActions {
  return {
    toggle: () => toggle(page),
    skip(seconds) {
      page.player.seek(page.player.position + seconds);
      renderTime(page);
    },
    step: (by) => step(page, by),
    take(number) {
      const take = trackOf(page)?.takes[number - 1];
      if (take?.file === undefined) return;
      page.player.select(take.key);
      say(page, take.name);
    },
    pick: () => pickActive(page, 'keep'),
    note() {
      const field = page.list.view(page.selected ?? '')?.root.querySelector('textarea');
      field?.focus();
    },
    help: () => page.header.help(),
  };
}

/** Actions of the player's controls. */
export function barActions(page: () => Page): BarActions {
  return {
    toggle: () => toggle(page()),
    seek(position) {
      page().player.seek(position);
      renderTime(page());
    },
    choose: (take) => page().player.select(take.key),
    pick: () => pickActive(page(), 'clear'),
  };
}

/** Actions of a track's controls. */
export function trackActions(page: () => Page, id: string): TrackActions {
  return {
    toggle(take) {
      const { player } = page();
      const goesOn = player.key === take.key && player.playing;
      select(page(), id, take);
      if (goesOn) player.pause();
      else player.play();
      focusTrack(page(), 'pointer');
    },
    seek(take, part) {
      select(page(), id, take);
      const duration = page().player.duration ?? take.file?.sound?.durationSeconds ?? 0;
      page().player.seek(part * duration);
      page().player.play();
      focusTrack(page(), 'pointer');
    },
    pick(take) {
      void pick(page(), id, take, 'clear');
    },
    note: (text) => void saveNote(page(), id, text),
  };
}

function toggle(page: Page): void {
  if (page.selected === undefined) step(page, 1);
  if (page.player.playing) page.player.pause();
  else page.player.play();
}

function step(page: Page, by: 1 | -1): void {
  const ids = page.list.visible().map(({ id }) => id);
  const at = ids.indexOf(page.selected ?? '');
  const id = ids[at === -1 ? 0 : at + by];
  if (id === undefined) return;
  select(page, id);
  focusTrack(page, 'keyboard');
}

/** After a click, keys act on the track and not on the button that was clicked. */
function focusTrack(page: Page, by: 'keyboard' | 'pointer'): void {
  const root = page.list.view(page.selected ?? '')?.root;
  if (by === 'pointer' && document.activeElement?.matches(':focus-visible')) return;
  root?.focus({ preventScroll: true });
  if (by === 'keyboard') root?.scrollIntoView({ block: 'nearest' });
}

function pickActive(page: Page, again: 'keep' | 'clear'): void {
  const take = takeOf(page);
  if (take !== undefined && page.selected !== undefined) void pick(page, page.selected, take, again);
}

/** @param again what to do if the take is already picked */
async function pick(page: Page, id: string, take: ReviewTake, again: 'keep' | 'clear'): Promise<void> {
  const track = page.data.tracks.find((one) => one.id === id);
  if (track === undefined || take.file === undefined || !page.source.editable) return;
  const { sha256 } = take.file;
  const isPicked = track.pick?.sha256 === sha256;
  if (isPicked && again === 'keep') {
    say(page, `${take.name} is picked`);
    return;
  }
  const note = page.list.view(id)?.note() ?? '';
  // A note about the previous pick does not apply to the new one.
  const isNew = note !== (track.pick?.note ?? '');
  const request = isPicked ? { track: id, sha256: null } : { track: id, sha256, ...(isNew ? { note } : {}) };
  if (!(await save(page, request))) return;
  say(
    page,
    isPicked ? `Pick of ${titleOf(track)} cleared` : `Picked ${inSentence(take.name)} of ${titleOf(track)}`,
  );
}

async function saveNote(page: Page, id: string, note: string): Promise<void> {
  const track = page.data.tracks.find((one) => one.id === id);
  if (track?.pick === undefined || note === (track.pick.note ?? '')) return;
  if (await save(page, { track: id, sha256: track.pick.sha256, note }))
    say(page, `Note of ${titleOf(track)} saved`);
}

async function save(page: Page, request: PickRequest): Promise<boolean> {
  try {
    await page.source.pick(request);
    complain(page, undefined);
    await refresh(page);
    return true;
  } catch (error) {
    complain(page, `Not saved: ${error instanceof TypeError ? GONE : (error as Error).message}`);
    return false;
  }
}

const GONE = 'venice-batch is no longer running. Start the review again.';

/** Loads new data. A load error is cleared when it works again; a failed pick stays on screen. */
export async function refresh(page: Page): Promise<void> {
  try {
    const data = await page.source.load();
    if (page.isStale) complain(page, undefined);
    page.isStale = false;
    if (data !== undefined) takeOver(page, data);
  } catch (error) {
    page.isStale = true;
    complain(page, error instanceof TypeError ? GONE : (error as Error).message);
  }
}
