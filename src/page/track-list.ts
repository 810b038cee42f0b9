import type { ReviewData, ReviewTrack } from '../review/data.js';
import { element } from './dom.js';
import type { TrackActions, TrackView } from './track-view.js';
import { trackView } from './track-view.js';
import type { Waveforms } from './waveforms.js';
import { type Filter, passes } from './words.js';

export interface TrackList {
  readonly root: HTMLElement;
  /** Rebuilds what has changed. The rest stays, including its focus and open sections. */
  update(data: ReviewData): void;
  filter(filter: Filter): void;
  show(state: Shown): void;
  /** In order. */
  visible(): readonly ReviewTrack[];
  view(id: string): TrackView | undefined;
}

export interface Shown {
  /** Id of the track that keys act on. */
  readonly selected: string | undefined;
  readonly activeKey: string | undefined;
  readonly playing: boolean;
}

interface Entry {
  readonly text: string;
  readonly track: ReviewTrack;
  readonly view: TrackView;
}

/** Tracks built before the first paint: as many as a screen shows. A large album then opens as fast as a small one. */
const TRACKS_AT_FIRST = 8;
/** More follow in steps, between which the browser can do other things. */
const TRACKS_AT_ONCE = 20;

export function createTrackList(
  editable: boolean,
  waveforms: Waveforms,
  actionsOf: (track: string) => TrackActions,
): TrackList {
  const list = element('ol', { class: 'tracks', role: 'list', 'aria-label': 'Tracks' });
  const nothing = element('p', { class: 'nothing', hidden: true }, 'No track matches this filter.');
  const root = element('main', {}, list, nothing);
  let tracks: readonly ReviewTrack[] = [];
  let entries = new Map<string, Entry>();
  let filter: Filter = 'all';
  let shown: Shown = { selected: undefined, activeKey: undefined, playing: false };
  let later: number | undefined;

  const entryOf = (track: ReviewTrack, number: number): Entry => {
    const before = entries.get(track.id);
    const text = JSON.stringify([number, track]);
    if (before?.text === text) return before;
    const view = trackView(track, number, { editable, actions: actionsOf(track.id) });
    if (before !== undefined) {
      carryOver(before, view);
      waveforms.forget(before.view);
    }
    waveforms.watch(view);
    view.root.hidden = !passes(filter, track);
    showIn(view, track.id, shown);
    return { text, track, view };
  };
  const build = (count: number) => {
    const wanted = tracks.slice(0, count);
    entries = new Map(wanted.map((track, index) => [track.id, entryOf(track, index + 1)]));
    place(list, [...entries.values()]);
    clearTimeout(later);
    if (count < tracks.length) later = window.setTimeout(build, 0, count + TRACKS_AT_ONCE);
  };
  return {
    root,
    update(data) {
      const focus = focusIn(entries);
      tracks = data.tracks;
      build(Math.max(TRACKS_AT_FIRST, entries.size));
      if (focus !== undefined) giveFocus(entries.get(focus.id)?.view.root, focus.place);
    },
    filter(wanted) {
      filter = wanted;
      for (const { track, view } of entries.values()) view.root.hidden = !passes(filter, track);
      nothing.hidden = tracks.some((track) => passes(filter, track));
    },
    show(state) {
      shown = state;
      for (const [id, { view }] of entries) showIn(view, id, state);
    },
    visible: () => tracks.filter((track) => passes(filter, track)),
    view: (id) => entries.get(id)?.view,
  };
}

function showIn(view: TrackView, id: string, { selected, activeKey, playing }: Shown): void {
  view.show({ selected: id === selected, activeKey, playing });
}

/** Elements already in the right place are not touched. */
function place(list: HTMLElement, entries: readonly Entry[]): void {
  const roots = entries.map(({ view }) => view.root);
  const same =
    list.children.length <= roots.length && [...list.children].every((one, index) => one === roots[index]);
  if (same) list.append(...roots.slice(list.children.length));
  else list.replaceChildren(...roots);
}

/** What the user opened or wrote survives a rebuild of the track. */
function carryOver({ track, view }: Entry, next: TrackView): void {
  const [before, now] = [view, next].map(({ root }) => root.querySelector('details'));
  if (before?.open && now) now.open = true;
  const [from, to] = [view, next].map(({ root }) => root.querySelector('textarea'));
  if (from && to && from.value !== (track.pick?.note ?? '')) to.value = from.value;
}

interface Focus {
  readonly id: string;
  /** The `data-focus` of the element. */
  readonly place: string;
}

function focusIn(entries: ReadonlyMap<string, Entry>): Focus | undefined {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement)) return undefined;
  for (const [id, { view }] of entries)
    if (view.root.contains(active)) return { id, place: active.dataset.focus ?? 'track' };
  return undefined;
}

function giveFocus(root: HTMLElement | undefined, place: string): void {
  if (root === undefined || root.contains(document.activeElement)) return;
  const wanted = root.querySelector<HTMLElement>(`[data-focus="${CSS.escape(place)}"]`) ?? root;
  wanted.focus({ preventScroll: true });
}
