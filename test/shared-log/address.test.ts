import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/core/errors.js';
import {
  parseStateAddress,
  type StateAddress,
  stateAddressText,
} from '../../src/shared-log/state-address.js';

describe('the address of a shared log', () => {
  it.each<[string, StateAddress]>([
    ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://bucket/a/b', { kind: 's3', bucket: 'bucket', prefix: 'a/b' }],
    [
      's3://bucket/a?endpoint=https://host:9000/path&region=auto',
      { kind: 's3', bucket: 'bucket', prefix: 'a', endpoint: 'https://host:9000/path', region: 'auto' },
    ],
    ['git:origin', { kind: 'git', remote: 'origin' }],
    ['git:origin?ref=album', { kind: 'git', remote: 'origin', ref: 'album' }],
    ['git:git@github.com:me/album.git', { kind: 'git', remote: 'git@github.com:me/album.git' }],
    ['git:host:me/album.git', { kind: 'git', remote: 'host:me/album.git' }],
    ['git:ssh://git@host/album.git', { kind: 'git', remote: 'ssh://git@host/album.git' }],
    ['git:https://github.com/me/album.git', { kind: 'git', remote: 'https://github.com/me/album.git' }],
    ['file:///mnt/share/x', { kind: 'folder', path: '/mnt/share/x' }],
  ])('%s', (text, address) => {
    expect(parseStateAddress(text)).toEqual(address);
    expect(stateAddressText(address)).toBe(text);
    expect(parseStateAddress(stateAddressText(address))).toEqual(address);
  });

  it.each([
    '',
    'bucket',
    'http://host/bucket',
    's3://',
    's3:bucket',
    's3:///prefix',
    's3://b',
    's3://bucket/a//b',
    's3://bucket/../b',
    's3://bucket/a b',
    's3://bucket?region=EU',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=https://host?x=1',
    's3://bucket?profile=me',
    'git:',
    'git:--upload-pack=x',
    'git:.',
    'git:./log.git',
    'git:/srv/log.git',
    'git:~/log.git',
    'git:file:///srv/log.git',
    'git:ext::sh',
    'git:C:/log.git',
    'git:origin?ref=a..b',
    'git:origin?branch=a',
    'file://host/share',
    'file:share',
    'file:///a%2Fb',
    'file:///a?b',
  ])('%j is refused', (text) => {
    expect(() => parseStateAddress(text)).toThrow(
      expect.objectContaining({ code: 'state-address', exitCode: EXIT.usage }),
    );
  });

  it.each([
    's3://AKIA:hunter2secret@bucket/prefix',
    's3://bucket/p?endpoint=https://user:hunter2secret@host',
    's3://bucket/p?secret=hunter2secret',
    'git:https://user:hunter2secret@github.com/me/album.git',
    'git:https://hunter2secret@github.com/me/album.git',
    'git:ssh://git:hunter2secret@github.com/me/album.git',
  ])('does not repeat a secret', (text) => {
    expect(() => parseStateAddress(text)).toThrow(/^(?!.*hunter2)/);
    try {
      parseStateAddress(text);
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('hunter2');
    }
  });
});
