import { describe, expect, it } from 'vitest';
import { browserCommand } from '../../src/node/open-browser.js';

const PAGE = 'http://127.0.0.1:1/t/';

describe('the command that opens a browser', () => {
  it.each([
    ['darwin', {}, ['open', PAGE]],
    ['win32', {}, ['rundll32', 'url.dll,FileProtocolHandler', PAGE]],
    ['linux', { DISPLAY: ':0' }, ['xdg-open', PAGE]],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, ['xdg-open', PAGE]],
    ['linux', {}, undefined],
    ['linux', { DISPLAY: '' }, undefined],
    ['darwin', { CI: 'true' }, undefined],
    ['darwin', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, undefined],
  ] as const)('%s %o', (platform, env, command) => {
    expect(browserCommand({ platform, env }, PAGE)).toEqual(command);
  });
});
