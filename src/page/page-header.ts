import type { ReviewData } from '../review/data.js';
import { element, fill } from './dom.js';
import { KEYS } from './keyboard.js';
import { type Filter, passes, totals } from './words.js';

export interface Header {
  readonly root: HTMLElement;
  show(data: ReviewData): void;
  readonly filter: Filter;
  readonly matchLoudness: boolean;
  /** Whether single-key shortcuts are on. */
  readonly shortcuts: boolean;
  help(): void;
}

const FILTERS: readonly (readonly [Filter, string])[] = [
  ['all', 'All'],
  ['unpicked', 'Not picked'],
  ['warnings', 'With warnings'],
];

/** The album's title, its totals, and the filters. Calls `changed` when the user changes a filter. */
export function createHeader(editable: boolean, changed: () => void): Header {
  const title = element('h1');
  const summary = element('p', { class: 'totals' });
  const filters = FILTERS.map(([value, name]) => filterChoice(value, name, changed));
  const match = toggle('Match loudness', 'match', changed);
  const shortcuts = toggle('Keyboard shortcuts', 'shortcuts', changed);
  const dialog = helpDialog(editable, shortcuts.root);
  const open = element('button', { type: 'button', class: 'quiet' }, 'Keyboard');
  open.addEventListener('click', () => dialog.showModal());
  const root = element(
    'header',
    {},
    element('div', { class: 'album' }, title, summary),
    element(
      'div',
      { class: 'tools' },
      element(
        'fieldset',
        { class: 'filters' },
        element('legend', { class: 'unseen' }, 'Show tracks'),
        ...filters.map(({ root }) => root),
      ),
      match.root,
      open,
    ),
    dialog,
  );
  return {
    root,
    get filter() {
      return filters.find(({ input }) => input.checked)?.value ?? 'all';
    },
    get matchLoudness() {
      return match.input.checked;
    },
    get shortcuts() {
      return shortcuts.input.checked;
    },
    show(data) {
      fill(title, data.title);
      fill(summary, data.sandbox && element('span', { class: 'sandbox' }, 'Sandbox'), totals(data));
      for (const { value, count } of filters)
        count.textContent = String(data.tracks.filter((track) => passes(value, track)).length);
    },
    help: () => dialog.showModal(),
  };
}

function filterChoice(value: Filter, name: string, changed: () => void) {
  const input = element('input', { type: 'radio', name: 'filter', value, checked: value === 'all' });
  input.addEventListener('change', changed);
  const count = element('span', { class: 'count' });
  return { value, input, count, root: element('label', {}, input, element('span', {}, name, ' ', count)) };
}

/** A switch that is on by default. Remembered if the browser allows it. */
function toggle(name: string, key: string, changed: () => void) {
  const input = element('input', { type: 'checkbox', checked: remembered(key) !== 'off' });
  input.addEventListener('change', () => {
    remember(key, input.checked ? 'on' : 'off');
    changed();
  });
  return { input, root: element('label', { class: 'switch' }, input, element('span', {}, name)) };
}

function helpDialog(editable: boolean, shortcuts: HTMLElement): HTMLDialogElement {
  const close = element('button', { type: 'submit', class: 'quiet' }, 'Close');
  return element(
    'dialog',
    { 'aria-labelledby': 'help-title' },
    element('h2', { id: 'help-title' }, 'Keyboard'),
    element(
      'dl',
      { class: 'keys' },
      ...KEYS.filter(([, , edits]) => editable || edits === undefined).flatMap(([keys, what]) => [
        element('dt', {}, ...keys.split(' ').map((key) => (key === '–' ? ' – ' : element('kbd', {}, key)))),
        element('dd', {}, what),
      ]),
    ),
    element('form', { method: 'dialog' }, shortcuts, close),
  );
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`venice-batch.${key}`);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`venice-batch.${key}`, value);
  } catch {
    // Private windows may refuse. Then it lasts until the page is closed.
  }
}
