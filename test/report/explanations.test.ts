import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../src/core/codes.js';
import { type Explanation, readExplanation } from '../../src/report/explanation.js';
import { renderExplanation } from '../../src/report/explanation-text.js';
import { findExplanation, PAGES } from '../../src/report/find-explanation.js';
import { displayWidth } from '../../src/report/width.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';
import { fault } from '../project/command-line.js';

const SRC = new URL('../../src/', import.meta.url);
const FOLDER = new URL('explanations/', SRC);
const FILES = readdirSync(FOLDER);

function pageOf(name: string): Explanation {
  const page = readExplanation(readFileSync(new URL(`${name}.md`, FOLDER), 'utf8'));
  if (page === undefined) throw new Error(`${name}.md lacks a part`);
  return page;
}

describe('explanations', () => {
  it('have one page for each code, state and exit code, and no other', () => {
    expect(FILES.sort()).toEqual(PAGES.map((name) => `${name}.md`).sort());
  });

  it('exist only for codes that are used', () => {
    const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('codes.ts'))
      .map((name) => readFileSync(new URL(name, SRC), 'utf8'))
      .join('\n');
    // Made of a field or a status.
    const made =
      /^undeclared-|-unsupported$|^(prompt|lyrics)-(too-long|length-unclear)$|^http-\d+$|^(manifest|lyrics)-(missing|directory|not-a-file|not-permitted|too-large|not-utf8|unreadable)$/;
    const isRaised = (code: string) =>
      made.test(code) || sources.includes(`'${code}'`) || sources.includes(`[${code}]`);
    expect(CODES.filter((code) => !isRaised(code))).toEqual([]);
  });

  it('are found by the words of the screens', () => {
    expect(findExplanation('in flight')).toEqual({ code: 'queued', page: 'queued' });
    expect(findExplanation('in_flight')?.page).toBe('queued');
    expect(findExplanation('constructor')).toBeUndefined();
  });

  it.each([
    ['new', 'new'],
    ['changed', 'changed'],
    ['left out (new)', 'left-out'],
    ['no response yet', 'intent'],
    ['rejected (400): change it', 'rejected'],
    ['failed (http-500)', 'failed'],
    ['done, but its file was changed', 'done'],
    ['in doubt: see `resolve`', 'in-doubt'],
    ['resolved as not charged', 'resolved_not_charged'],
    ['requeued', 'requeued'],
    ['to be downloaded again', 'unverified'],
    ['a file is in the way', 'output-occupied'],
  ])('are found for what plan and status print: %s', (word, page) => {
    expect(findExplanation(word)?.page).toBe(page);
  });

  it('explain for a refusal without a code whether it is charged', () => {
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
      const entry = FILES.includes(`http-${status}.md`) ? pageOf(`http-${status}`) : undefined;
      if (classifySubmit(failure).kind === 'refused')
        expect(entry?.money, String(status)).toMatch(
          /^(?:Not charged\.$|Refused at the submit: not charged\.)/,
        );
      else if (entry !== undefined) expect(entry.money).toContain('in doubt');
    }
  });

  it('match the severity where they say that it is a warning', () => {
    const stopping = PAGES.filter((name) => {
      const text = readFileSync(new URL(`${name}.md`, FOLDER), 'utf8');
      return /this is (only )?a warning/i.test(text) && /nothing is bought until/i.test(text);
    });
    expect(stopping).toEqual([]);
  });

  it('are complete, each with a command of this program', () => {
    for (const code of PAGES) {
      const { title, text, money, fix, next } = pageOf(code);
      for (const sentence of [text, money, fix]) expect(sentence, code).toMatch(/^[A-Z`-].*[.]$/);
      expect(title, code).toMatch(/^\S.*[^.]$/);
      expect(fault(next), `${code}: ${next}`).toBeUndefined();
    }
  });

  it.each([40, 80, 200])('fit %i columns, except for commands', (columns) => {
    for (const code of PAGES) {
      const entry = pageOf(code);
      const lines = renderExplanation(code, entry, columns).trimEnd().split('\n');
      expect(lines.pop()).toContain(entry.next);
      const texts = lines.filter((line) => !line.includes('`venice-batch '));
      for (const line of texts) expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(columns, 100));
    }
  });
});

describe('the topic of `explain`', () => {
  const codeOf = (word: string) => findExplanation(word)?.code;

  it('is found as it is printed', () => {
    for (const code of PAGES) expect(codeOf(code)).toBe(code);
  });

  it('is found in any letter case, and with _, - or spaces', () => {
    const folded = (word: string | undefined) => word?.toLowerCase().replaceAll('_', '-');
    for (const code of PAGES)
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
    ['8', 'exit-8'],
    ['100', 'exit-100'],
    ['exit codes', 'exit-codes'],
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
    ['X402_SIGN_IN_EXPIRED', 'x402-sign-in'],
    ['x402_sign_in_nonce_reused', 'x402-sign-in'],
    ['X402_CONCURRENCY_LIMIT', 'http-429'],
    ['PAYMENT_REQUIRED', 'http-402'],
    ['AUTHENTICATION_FAILED', 'http-401'],
    ['INFERENCE_FAILED', 'http-500'],
    ['HPE_INVALID_HEADER_TOKEN', 'connection'],
    ['EINVAL', 'storage'],
    ['CHARACTER_NOT_FOUND', 'service-code'],
    ['LYRICS_TOO_SAD', 'service-code'],
    ['provider_out_of_tune', 'service-code'],
  ])('is found for %s as %s', (word, family) => {
    expect(findExplanation(word)?.page).toBe(family);
  });

  it('is the page of its own for every code that the sandbox gives to an error', () => {
    const sources = readdirSync(new URL('sandbox/', SRC), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(`sandbox/${name}`, SRC), 'utf8'))
      .join('\n');
    const codes = [...sources.matchAll(/\bcode: ['`]([A-Z0-9_]+)/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(5);
    const unlisted = codes.filter(
      (code) => (findExplanation(code)?.page ?? 'service-code') === 'service-code',
    );
    expect(unlisted).toEqual([]);
  });

  it.each([
    '',
    'lorem',
    'enough said',
    'emty',
    'queue_id_seem',
    '\u001b[31mECONNRESET',
    '__proto__',
    'toString',
  ])('is not found for %j', (word) => {
    expect(findExplanation(word)).toBeUndefined();
  });
});
