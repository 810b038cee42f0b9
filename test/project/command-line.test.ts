import { describe, expect, it } from 'vitest';
import { fault } from './command-line.js';

describe('the check of a command line', () => {
  it.each([
    'venice-batch run album.yaml --yes --budget 5.00',
    'venice-batch lock repair album.yaml',
    'venice-batch --version',
  ])('accepts %s', (line) => {
    expect(fault(line)).toBeUndefined();
  });

  it.each([
    ['venice-batch run album.yaml --bugdet 5.00', /--bugdet/],
    ['venice-batch rnu album.yaml', /rnu/],
    ['venice-batch run', /manifest/],
    ['venice-batch run album.yaml --budget', /--budget/],
    ['venice run album.yaml', /venice/],
  ])('refuses %s', (line, problem) => {
    expect(fault(line)).toMatch(problem);
  });
});
