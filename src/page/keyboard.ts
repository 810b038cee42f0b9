export interface KeyActions {
  toggle(): void;
  /** Seconds forward, or back if negative. */
  skip(seconds: number): void;
  /** The next or the previous track. */
  step(by: 1 | -1): void;
  /** From 1. */
  take(number: number): void;
  pick(): void;
  note(): void;
  help(): void;
}

/** Listed in the page's help. `edits`: only if picks can be changed. */
export const KEYS: readonly (readonly [keys: string, what: string, edits?: 'edits'])[] = [
  ['Space', 'play or pause'],
  ['1 – 9', 'switch to this take, at the same position'],
  ['← →', 'back or forward 5 seconds'],
  ['↑ ↓', 'previous or next track'],
  ['Enter', 'pick the take that plays', 'edits'],
  ['N', 'write a note; Esc leaves it', 'edits'],
  ['?', 'this list'],
];

const SKIP_SECONDS = 5;

/** What a key does unless the focused control handles it. `undefined`: nothing. */
export function actionOf(key: string, actions: KeyActions): (() => void) | undefined {
  if (/^[1-9]$/.test(key)) return () => actions.take(Number(key));
  switch (key) {
    case ' ':
      return actions.toggle;
    case 'ArrowLeft':
      return () => actions.skip(-SKIP_SECONDS);
    case 'ArrowRight':
      return () => actions.skip(SKIP_SECONDS);
    case 'ArrowUp':
      return () => actions.step(-1);
    case 'ArrowDown':
      return () => actions.step(1);
    case 'Enter':
      return actions.pick;
    case 'n':
    case 'N':
      return actions.note;
    case '?':
      return actions.help;
    default:
      return undefined;
  }
}

/** Controls that handle every key, and those that handle only the keys that press them. */
const TAKES_ALL = 'textarea, dialog, input[type="text"]';
const TAKES_ARROWS = 'input';
const TAKES_PRESS = 'button, summary, input';

/**
 * Listens to the whole page.
 *
 * @param isOn whether character keys do anything: they can interfere with voice control
 */
export function listenToKeys(actions: KeyActions, isOn: () => boolean): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
    if (key === 'Escape' && target instanceof HTMLTextAreaElement) {
      leave(target);
      return;
    }
    if (target.closest(TAKES_ALL) !== null) return;
    if (key.startsWith('Arrow') && target.closest(TAKES_ARROWS) !== null) return;
    if ((key === ' ' || key === 'Enter') && target.closest(TAKES_PRESS) !== null) return;
    if (key.length === 1 && key !== ' ' && !isOn()) return;
    const act = actionOf(key, actions);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** Moves the focus to the field's track, so that keys work again. */
function leave(field: HTMLTextAreaElement): void {
  const track = field.closest<HTMLElement>('.track');
  if (track === null) field.blur();
  else track.focus({ preventScroll: true });
}
