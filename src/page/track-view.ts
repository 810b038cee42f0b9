import type { ReviewRequest, ReviewTake, ReviewTrack } from '../review/data.js';
import { element } from './dom.js';
import { type TakeActions, type TakeRow, takeRow } from './take-row.js';
import { inSentence, titleOf } from './words.js';

export interface TrackActions extends TakeActions {
  /** Called when the user has finished editing the note. */
  note(text: string): void;
}

export interface TrackView {
  readonly root: HTMLElement;
  readonly rows: readonly TakeRow[];
  /** The current text of the note; empty if there is none. */
  note(): string;
  show(state: {
    readonly selected: boolean;
    readonly activeKey: string | undefined;
    readonly playing: boolean;
  }): void;
}

/** One track with its takes. Rebuilt when its data changes. */
export function trackView(
  track: ReviewTrack,
  number: number,
  { editable, actions }: { readonly editable: boolean; readonly actions: TrackActions },
): TrackView {
  const rows = track.takes.map((take, index) => takeRow(track, take, index + 1, { editable, actions }));
  const heading = `track-${number}`;
  const note = editable ? noteField(track, number, actions) : undefined;
  const root = element(
    'li',
    { class: 'track', tabindex: -1, 'aria-labelledby': heading, 'data-focus': 'track' },
    element('span', { class: 'number', 'aria-hidden': 'true' }, String(number)),
    element(
      'div',
      { class: 'heading' },
      element('h2', { id: heading }, titleOf(track)),
      element('p', { class: 'subtitle' }, subtitleOf(track)),
    ),
    pickNotice(track),
    element(
      'ol',
      { class: 'takes', 'aria-label': `Takes of ${titleOf(track)}` },
      ...rows.map(({ root }) => root),
    ),
    element(
      'div',
      { class: 'more' },
      track.request && requestDetails(track.request),
      note?.root ?? noteText(track),
    ),
  );
  return {
    root,
    rows,
    note: () => note?.field.value ?? '',
    show({ selected, activeKey, playing }) {
      root.classList.toggle('selected', selected);
      if (selected) root.setAttribute('aria-current', 'true');
      else root.removeAttribute('aria-current');
      for (const row of rows) row.show({ active: row.take.key === activeKey, playing });
    },
  };
}

function subtitleOf({ id, title, request, takes }: ReviewTrack): string {
  const model = request?.model ?? takes[0]?.model;
  return [title === undefined ? undefined : id, model].filter(Boolean).join(' · ');
}

/** Shown if the pick is not one of the track's current takes, or its file is gone. */
function pickNotice({ pick, takes }: ReviewTrack): HTMLElement | undefined {
  if (pick === undefined) return undefined;
  const name = takes.find(({ file }) => file?.sha256 === pick.sha256)?.name;
  if (name === undefined)
    return element('p', { class: 'notice' }, `The picked file (${pick.sha256.slice(0, 8)}…) is not here.`);
  if (pick.state === 'current') return undefined;
  return element(
    'p',
    { class: 'notice' },
    `Picked: ${inSentence(name)}. The track was made again since: pick again, or keep it.`,
  );
}

function requestDetails(request: ReviewRequest): HTMLElement {
  const entries: readonly (readonly [string, string | undefined])[] = [
    ['Prompt', request.prompt],
    ['Lyrics', request.lyrics],
    ['Model', request.model],
    ...request.settings,
  ];
  const shown = entries.filter((entry): entry is readonly [string, string] => (entry[1] ?? '') !== '');
  return element(
    'details',
    {},
    element('summary', { 'data-focus': 'request' }, 'Request'),
    element(
      'dl',
      {},
      ...shown.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    ),
  );
}

function noteField(track: ReviewTrack, number: number, actions: TrackActions) {
  const id = `note-${number}`;
  const field = element('textarea', {
    id,
    rows: 1,
    maxlength: 2000,
    placeholder: track.pick === undefined ? 'Saved when you pick a take' : 'Why this one',
    'data-focus': 'note',
  });
  field.value = track.pick?.note ?? '';
  field.addEventListener('change', () => actions.note(field.value));
  return {
    field,
    root: element('div', { class: 'note' }, element('label', { for: id }, 'Note'), field),
  };
}

function noteText({ pick }: ReviewTrack): HTMLElement | undefined {
  if (pick?.note === undefined) return undefined;
  return element('p', { class: 'note' }, element('span', { class: 'label' }, 'Note'), pick.note);
}

/** The take to start with: the picked one, else the first playable one. */
export function firstTake({ takes, pick }: ReviewTrack): ReviewTake | undefined {
  const playable = takes.filter(({ file }) => file !== undefined);
  return playable.find(({ file }) => file?.sha256 === pick?.sha256) ?? playable[0];
}
