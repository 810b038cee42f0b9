import type { ReviewData } from '../review/data.js';
import { barActions, keyActions, refresh, trackActions } from './actions.js';
import { type Source, servedSource, writtenSource } from './data-source.js';
import { element } from './dom.js';
import { listenToKeys } from './keyboard.js';
import { complain, loadTakes, type Page, render, renderTime } from './page.js';
import { createHeader } from './page-header.js';
import { createPlayer } from './player.js';
import { playerBar } from './player-bar.js';
import { createTrackList } from './track-list.js';
import { createWaveforms } from './waveforms.js';

/** How often a visible served page checks for new data. */
const REFRESH_MS = 2_000;

const EMPTY: ReviewData = { title: '', manifest: '', sandbox: false, tracks: [] };

function createPage(source: Source): Page {
  const waveforms = createWaveforms(source);
  const get = () => page;
  const page: Page = {
    source,
    waveforms,
    header: createHeader(source.editable, () => {
      page.list.filter(page.header.filter);
      loadTakes(page);
    }),
    list: createTrackList(source.editable, waveforms, (id) => trackActions(get, id)),
    player: createPlayer(
      () => render(page),
      () => complain(page, 'The browser cannot play this file.'),
    ),
    bar: playerBar(source.editable, barActions(get)),
    live: element('p', { class: 'unseen', role: 'status' }),
    alert: element('p', { class: 'alert', role: 'alert', hidden: true }),
    data: EMPTY,
    isStale: false,
    selected: undefined,
  };
  return page;
}

/** A report contains its data; a served page fetches it. */
function sourceOfPage(): Source {
  const written = document.getElementById('review-data');
  if (written === null) return servedSource();
  const { data, peaks } = JSON.parse(written.textContent) as {
    data: ReviewData;
    peaks: Readonly<Record<string, string>>;
  };
  return writtenSource(data, peaks);
}

async function start(): Promise<void> {
  const page = createPage(sourceOfPage());
  const { header, alert, list, bar, live, player } = page;
  document.body.append(header.root, alert, list.root, bar.root, live);
  listenToKeys(keyActions(page), () => header.shortcuts);
  const animate = () => {
    if (player.playing) renderTime(page);
    requestAnimationFrame(animate);
  };
  requestAnimationFrame(animate);
  await refresh(page);
  if (page.source.editable)
    setInterval(() => {
      if (!document.hidden) void refresh(page);
    }, REFRESH_MS);
}

void start();
