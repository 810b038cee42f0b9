import { describe, expect, it } from 'vitest';
import { placesIn } from '../../src/session/place.js';

describe('a file below the output root', () => {
  it.each([
    ['/music', '/music', 'out/a.wav', 'out/a.wav'],
    ['/music/album.sandbox', '/music', 'out/a.wav', 'album.sandbox/out/a.wav'],
    ['/music', '/music/notes', 'out/a.wav', '/music/out/a.wav'],
    ['/music', '/elsewhere', '..out/a.wav', '/music/..out/a.wav'],
    ['/music', '/music', '..out/a.wav', '..out/a.wav'],
    ['/music', '/elsewhere', '/music/out', '/music/out'],
    ['/music', '/music', '/music', '/music'],
  ])('below %s is shown from %s: %s as %s', (root, cwd, file, shown) => {
    expect(placesIn(root, cwd)(file)).toBe(shown);
  });
});
