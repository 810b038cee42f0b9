import { beforeAll, describe, expect, it } from 'vitest';
import { renderExplanation } from '../../src/report/explanation-text.js';
import { EXPLANATIONS } from '../../src/report/explanations.js';
import { displayWidth } from '../../src/report/width.js';
import { classifySubmit } from '../../src/venice/outcome.js';
import { codesInSource } from '../project/codes.js';
import { fault } from '../project/command-line.js';

/** Codes that are made of a status: the service gave none of its own. */
const statusOf = (code: string): number => Number(/^http-(\d{3})$/.exec(code)?.[1]);

describe('explanations', () => {
  let codes: ReadonlyMap<string, string>;
  beforeAll(() => {
    codes = codesInSource();
  }, 120_000);

  it('are there for every code that the source can tell', () => {
    expect(codes.size).toBeGreaterThan(150);
    const missing = [...codes].filter(([code]) => !Object.hasOwn(EXPLANATIONS, code));
    expect(missing.map(([code, place]) => `${code} (${place})`)).toEqual([]);
  });

  it('are there for no other', () => {
    const told = Object.keys(EXPLANATIONS).filter((code) => Number.isNaN(statusOf(code)));
    expect(told.filter((code) => !codes.has(code))).toEqual([]);
  });

  it('say of a refusal without a code what its status means for the money', () => {
    for (let status = 400; status < 600; status += 1) {
      const failure = {
        ok: false,
        kind: 'refused',
        status,
        sent: true,
        code: '',
        message: '',
        rate: {},
      } as const;
      const entry = EXPLANATIONS[`http-${status}`];
      if (classifySubmit(failure).kind === 'refused')
        expect(entry?.money, String(status)).toBe('Not charged.');
      else if (entry !== undefined) expect(entry.money).toContain('in doubt');
    }
  });

  it('are whole, each with a command of this program', () => {
    for (const [code, { title, text, money, mend, next }] of Object.entries(EXPLANATIONS)) {
      for (const sentence of [text, money, mend]) expect(sentence, code).toMatch(/^[A-Z`-].*[.]$/);
      expect(title, code).toMatch(/^\S.*[^.]$/);
      expect(fault(next), `${code}: ${next}`).toBeUndefined();
    }
  });

  it.each([40, 80, 200])('fit on %i columns, but for the command', (columns) => {
    for (const [code, entry] of Object.entries(EXPLANATIONS)) {
      const lines = renderExplanation(code, entry, columns).trimEnd().split('\n');
      expect(lines.pop()).toContain(entry.next);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(columns, 100));
    }
  });
});
