import { describe, expect, it } from 'vitest';
import { fault } from './command-line.js';

describe('the check of a command line', () => {
  it.each([
    ['venice-batch run album.yaml --yes --budget 5.00', undefined],
    ['venice-batch lock repair album.yaml', undefined],
    ['venice-batch --version', undefined],
    ['venice-batch run album.yaml --bugdet 5.00', /--bugdet/],
    ['venice-batch rnu album.yaml', /rnu/],
    ['venice-batch run', /manifest/],
    ['venice-batch run album.yaml --budget', /--budget/],
    ['venice run album.yaml', /venice/],
  ])('%s', (line, problem) => {
    if (problem === undefined) expect(fault(line)).toBeUndefined();
    else expect(fault(line)).toMatch(problem);
  });
});
