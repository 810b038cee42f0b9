import type { ReviewTake, ReviewTrack } from '../review/data.js';
import { element, fill, icon } from './dom.js';
import { clock, inSentence, spokenTime, titleOf } from './words.js';

export interface BarActions {
  toggle(): void;
  /** Seconds. */
  seek(position: number): void;
  choose(take: ReviewTake): void;
  pick(): void;
}

export interface BarState {
  readonly track: ReviewTrack;
  readonly take: ReviewTake;
  readonly playing: boolean;
}

export interface PlayerBar {
  readonly root: HTMLElement;
  /** `undefined` hides it. */
  show(state: BarState | undefined): void;
  /** Seconds. */
  time(position: number, duration: number | undefined): void;
}

/** How far the arrow keys move the slider: its own steps are too small. */
const SLIDER_SECONDS: Readonly<Record<string, number>> = {
  ArrowLeft: -5,
  ArrowDown: -5,
  ArrowRight: 5,
  ArrowUp: 5,
};

/** The player at the bottom of the page: the only place to seek with the keyboard. */
export function playerBar(editable: boolean, actions: BarActions): PlayerBar {
  const play = element('button', { type: 'button', class: 'play' });
  const title = element('span', { class: 'title' });
  const takes = element('div', { class: 'choices', role: 'group', 'aria-label': 'Take' });
  const slider = element('input', { type: 'range', min: 0, step: 0.01, value: 0, 'aria-label': 'Position' });
  const position = element('span', { class: 'length' }, '0:00');
  const length = element('span', { class: 'length' });
  const pick = element('button', { type: 'button', class: 'pick' });
  const root = element(
    'section',
    { class: 'bar', 'aria-label': 'Player', hidden: true },
    play,
    title,
    element('div', { class: 'seek' }, position, slider, length),
    takes,
    editable && pick,
  );
  play.addEventListener('click', actions.toggle);
  pick.addEventListener('click', actions.pick);
  slider.addEventListener('input', () => actions.seek(slider.valueAsNumber));
  slider.addEventListener('keydown', (event) => {
    const by = SLIDER_SECONDS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    actions.seek(slider.valueAsNumber + by);
  });
  return {
    root,
    show(state) {
      root.hidden = state === undefined;
      if (state === undefined) return;
      const { track, take, playing } = state;
      play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
      play.replaceChildren(icon(playing ? 'pause' : 'play'));
      fill(title, element('strong', {}, titleOf(track)), element('span', {}, take.name));
      showChoices(takes, state, actions);
      const picked = take.file !== undefined && track.pick?.sha256 === take.file.sha256;
      pick.setAttribute('aria-pressed', String(picked));
      pick.setAttribute('aria-label', `${picked ? 'Picked' : 'Pick'}: ${inSentence(take.name)}`);
      fill(pick, picked && icon('check'), picked ? 'Picked' : 'Pick');
    },
    time(seconds, duration) {
      slider.max = String(duration ?? 0);
      slider.valueAsNumber = seconds;
      const whole = duration === undefined ? '' : ` of ${spokenTime(duration)}`;
      slider.setAttribute('aria-valuetext', `${spokenTime(seconds)}${whole}`);
      slider.style.setProperty('--played', `${duration ? (100 * seconds) / duration : 0}%`);
      position.textContent = clock(seconds);
      length.textContent = clock(duration);
    },
  };
}

function showChoices(parent: HTMLElement, { track, take }: BarState, { choose }: BarActions): void {
  parent.hidden = track.takes.filter(({ file }) => file !== undefined).length < 2;
  const key = track.takes.map(({ key, file }) => `${key} ${file === undefined}`).join();
  if (parent.dataset.takes !== key) {
    parent.dataset.takes = key;
    fill(
      parent,
      ...track.takes.flatMap((one, index) => {
        if (one.file === undefined) return [];
        const button = element(
          'button',
          { type: 'button', 'aria-label': one.name, title: one.name, 'data-take': one.key },
          String(index + 1),
        );
        button.addEventListener('click', () => choose(one));
        return [button];
      }),
    );
  }
  for (const button of parent.querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset.take === take.key));
}
