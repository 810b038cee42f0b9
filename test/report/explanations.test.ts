import { beforeAll, describe, expect, it } from 'vitest';
import { renderExplanation } from '../../src/report/explanation-text.js';
import { EXPLANATIONS } from '../../src/report/explanations.js';
import { findExplanation, TOLD } from '../../src/report/find-explanation.js';
import { displayWidth } from '../../src/report/width.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';
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
    const missing = [...codes].filter(([code]) => findExplanation(code) === undefined);
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
        expect(entry?.money, String(status)).toMatch(
          /^(?:Not charged\.$|Refused at the submit: not charged\.)/,
        );
      else if (entry !== undefined) expect(entry.money).toContain('in doubt');
    }
  });

  it('are whole, each with a command of this program', () => {
    for (const [code, { title, text, money, mend, next }] of Object.entries(TOLD)) {
      for (const sentence of [text, money, mend]) expect(sentence, code).toMatch(/^[A-Z`-].*[.]$/);
      expect(title, code).toMatch(/^\S.*[^.]$/);
      expect(fault(next), `${code}: ${next}`).toBeUndefined();
    }
  });

  it.each([40, 80, 200])('fit on %i columns, but for the command', (columns) => {
    for (const [code, entry] of Object.entries(TOLD)) {
      const lines = renderExplanation(code, entry, columns).trimEnd().split('\n');
      expect(lines.pop()).toContain(entry.next);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(columns, 100));
    }
  });
});

describe('what is asked for', () => {
  const codeOf = (word: string) => findExplanation(word)?.code;

  it('is found as it is printed', () => {
    for (const code of Object.keys(TOLD)) expect(codeOf(code)).toBe(code);
  });

  it('is found in any case, and with _, - or spaces', () => {
    const folded = (word: string | undefined) => word?.toLowerCase().replaceAll('_', '-');
    for (const code of Object.keys(TOLD))
      for (const word of [code.toUpperCase(), code.replaceAll('-', '_'), code.replaceAll('_', ' ')])
        expect(folded(codeOf(word)), word).toBe(folded(code));
  });

  it.each([
    ['GENERATION_FAILED', 'generation-failed'],
    ['in doubt', 'in-doubt'],
    ['in_doubt', 'in-doubt'],
    ['Lost', 'lost'],
    ['too-long', 'too-long'],
    ['TOO_LONG', 'too_long'],
    ['und_err_aborted', 'UND_ERR_ABORTED'],
    ['422', 'http-422'],
    ['HTTP_422', 'http-422'],
  ])('%s is %s', (word, code) => {
    expect(codeOf(word)).toBe(code);
  });

  it.each([
    ['ECONNRESET', 'connection'],
    ['econnrefused', 'connection'],
    ['UND_ERR_SOCKET', 'connection'],
    ['und-err-headers-timeout', 'connection'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'connection'],
    ['ENOSPC', 'storage'],
    ['INSUFFICIENT_BALANCE', 'http-402'],
    ['http-520', 'http-other'],
  ])('%s is told as %s', (word, family) => {
    expect(findExplanation(word)?.explanation).toBe(TOLD[family]);
  });

  it.each(['', 'lorem', 'enough said', 'emty', '\u001b[31mECONNRESET', '__proto__', 'toString'])(
    '%j is nothing',
    (word) => {
      expect(findExplanation(word)).toBeUndefined();
    },
  );
});
