import type { ReviewTake, ReviewTrack } from '../review/data.js';
import { element, icon } from './dom.js';
import { createWaveform, type Waveform } from './waveform.js';
import { clock, day, inSentence, titleOf, warningsOf } from './words.js';

/** Actions on a take. */
export interface TakeActions {
  /** Plays it, or pauses it if playing. */
  toggle(take: ReviewTake): void;
  /** Seeks to a position from 0 to 1. */
  seek(take: ReviewTake, part: number): void;
  /** Picks it, or clears the pick if already picked. */
  pick(take: ReviewTake): void;
}

export interface TakeRow {
  readonly root: HTMLElement;
  readonly take: ReviewTake;
  /** Absent if there is no file. */
  readonly waveform?: Waveform;
  show(state: { readonly active: boolean; readonly playing: boolean }): void;
}

/**
 * One take of a track: play, name, facts, waveform, pick. `number` is its key on the keyboard.
 *
 * @param editable whether it can be picked
 */
export function takeRow(
  track: ReviewTrack,
  take: ReviewTake,
  number: number,
  { editable, actions }: { readonly editable: boolean; readonly actions: TakeActions },
): TakeRow {
  if (take.file === undefined) return absentRow(take);
  const picked = track.pick?.sha256 === take.file.sha256;
  const name = `${inSentence(take.name)} of ${titleOf(track)}`;
  const play = element(
    'button',
    { type: 'button', class: 'play', 'data-focus': `play ${take.key}` },
    icon('play'),
  );
  play.addEventListener('click', () => actions.toggle(take));
  const waveform = createWaveform();
  waveform.root.addEventListener('click', ({ clientX }) => {
    const { left, width } = waveform.root.getBoundingClientRect();
    actions.seek(take, (clientX - left) / width);
  });
  const root = element(
    'li',
    { class: picked ? 'take picked' : 'take' },
    play,
    about(take, number),
    waveform.root,
    measures(take),
    editable ? pickButton(take, picked, name, actions) : badge(picked),
    warningList(take),
  );
  return {
    root,
    take,
    waveform,
    show({ active, playing }) {
      root.classList.toggle('active', active);
      play.setAttribute('aria-label', `${active && playing ? 'Pause' : 'Play'} ${name}`);
      play.replaceChildren(icon(active && playing ? 'pause' : 'play'));
    },
  };
}

function absentRow(take: ReviewTake): TakeRow {
  const root = element(
    'li',
    { class: `take ${take.state}` },
    element('span', { class: 'play', 'aria-hidden': 'true' }),
    element(
      'div',
      { class: 'about' },
      element('span', { class: 'name' }, take.name),
      element('span', { class: 'facts' }, take.stateText),
    ),
    element('span', { class: 'wave' }),
  );
  return { root, take, show: () => {} };
}

function about(take: ReviewTake, number: number): HTMLElement {
  const facts = [take.price, take.boughtAt && day(take.boughtAt)];
  return element(
    'div',
    { class: 'about' },
    element(
      'span',
      { class: 'name' },
      number <= 9 && element('kbd', { 'aria-hidden': 'true' }, String(number)),
      take.name,
    ),
    element('span', { class: 'facts' }, facts.filter(Boolean).join(' · ')),
  );
}

/** Length and loudness. */
function measures({ file }: ReviewTake): HTMLElement {
  const { durationSeconds, loudnessLufs } = file?.sound ?? {};
  return element(
    'div',
    { class: 'length' },
    durationSeconds !== undefined && element('span', {}, clock(durationSeconds)),
    loudnessLufs !== undefined && element('span', {}, `${loudnessLufs.toFixed(1).replace('-', '−')} LUFS`),
  );
}

function pickButton(take: ReviewTake, picked: boolean, name: string, actions: TakeActions): HTMLElement {
  const button = element(
    'button',
    {
      type: 'button',
      class: 'pick',
      'aria-pressed': String(picked),
      'aria-label': `${picked ? 'Picked' : 'Pick'}: ${name}`,
      'data-focus': `pick ${take.key}`,
    },
    picked && icon('check'),
    picked ? 'Picked' : 'Pick',
  );
  button.addEventListener('click', () => actions.pick(take));
  return button;
}

function badge(picked: boolean): HTMLElement {
  return picked
    ? element('span', { class: 'pick badge' }, icon('check'), 'Picked')
    : element('span', { class: 'pick none' });
}

function warningList(take: ReviewTake): HTMLElement | undefined {
  const warnings = warningsOf(take);
  if (warnings.length === 0) return undefined;
  return element(
    'ul',
    { class: 'warnings', 'aria-label': 'Warnings' },
    ...warnings.map((text) => element('li', {}, icon('warning'), text)),
  );
}
