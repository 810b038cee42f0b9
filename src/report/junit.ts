import type { BoughtTwiceTake, QcEvent, TakeEvent } from '../core/events.js';
import { formatUsd } from '../core/money.js';
import { isFailure, type RunOutcome } from './outcome.js';
import { failureReason, stateName } from './phrases.js';

/** A take that the manifest asks for. */
export interface WantedTake {
  readonly key: string;
  readonly model: string;
}

/**
 * The run as JUnit XML, with one test case per take. In doubt is an error, not made is a failure, in flight and not
 * bought are skipped. If a run did not end well although no take failed, an extra test case says so, for readers who
 * see nothing else.
 *
 * @param wanted the manifest's takes: those without any event were not bought
 * @param options.qcFail sound findings are failures; otherwise they are noted beside the result
 */
export function renderJunit(
  outcome: RunOutcome,
  wanted: readonly WantedTake[] = [],
  { qcFail = false }: { readonly qcFail?: boolean } = {},
): string {
  const known = new Set(outcome.takes.map(({ key }) => key));
  const problem = problemOf(outcome);
  const doubles = outcome.summary?.bought_twice ?? [];
  const twice = new Map(doubles.map((double) => [double.key, twiceText(double)]));
  const left = wanted.filter(({ key }) => !known.has(key));
  const cases = [
    ...outcome.takes.map((take) =>
      withSound(takeCase(take), outcome.qc.get(take.key), qcFail, twice.get(take.key)),
    ),
    ...left.map((take) => unreportedCase(take, problem)),
    ...runCase(outcome, problem, qcFail),
  ];
  const number = (verdict: Verdict) => cases.filter((one) => one.verdict === verdict).length;
  const counts = attributes({
    tests: cases.length,
    failures: number('failure'),
    errors: number('error'),
    skipped: number('skipped'),
    time: ((outcome.summary?.duration_ms ?? 0) / 1000).toFixed(3),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="venice-batch" ${counts}>`,
    `  <testsuite name="venice-batch" ${counts}>`,
    ...cases.map(caseText),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

type Verdict = 'passed' | 'failure' | 'error' | 'skipped';

interface TestCase {
  readonly name: string;
  readonly classname: string;
  readonly verdict: Verdict;
  readonly type?: string;
  readonly message?: string;
  /** Additional information, whatever the result. */
  readonly note?: string | undefined;
}

function twiceText({ attempts, extra_micro_usd }: BoughtTwiceTake): string {
  const bought = attempts.map(
    ({ attempt, state, price_micro_usd }) => `${attempt} (${state}, ${formatUsd(price_micro_usd)})`,
  );
  return `bought ${attempts.length} times, ${formatUsd(extra_micro_usd)} more than needed: ${bought.join(', ')}`;
}

function takeCase(take: TakeEvent): TestCase {
  const verdict = verdictOf(take);
  const head = { name: take.key, classname: take.model, verdict };
  if (verdict === 'passed') return head;
  if (take.state === 'elsewhere')
    return {
      ...head,
      message: `done; its audio is ${take.machine === undefined ? 'kept elsewhere' : `on ${take.machine}`}`,
    };
  if (verdict === 'skipped') return { ...head, message: stateName(take.state) };
  return { ...head, type: take.code ?? take.state, message: failureReason(take) };
}

function withSound(
  one: TestCase,
  qc: QcEvent | undefined,
  qcFail: boolean,
  twice: string | undefined,
): TestCase {
  const findings = qc?.findings ?? [];
  const sound = findings.map(({ message }) => message).join('; ');
  const fails = qcFail && findings.length > 0 && one.verdict === 'passed';
  const notes = [twice, fails ? undefined : sound].filter((note) => note !== undefined && note !== '');
  const note = notes.length === 0 ? {} : { note: notes.join('; ') };
  return {
    ...one,
    ...(fails ? { verdict: 'failure', type: findings[0]!.code, message: sound } : {}),
    ...note,
  };
}

function verdictOf(take: TakeEvent): Verdict {
  if (take.state === 'in_doubt') return 'error';
  if (isFailure(take.state)) return 'failure';
  return take.state === 'stored' || take.state === 'done' ? 'passed' : 'skipped';
}

interface Problem {
  readonly type: string;
  readonly message: string;
  /** Further errors of the same run. */
  readonly others: readonly string[];
}

/** What went wrong in a run that did not end well. */
function problemOf({ summary, diagnostics, errors }: RunOutcome): Problem | undefined {
  if (summary === undefined || summary.exit_code === 0) return undefined;
  const found = diagnostics.filter(({ severity }) => severity === 'error');
  const [failing, ...others] = found.length > 0 ? found : errors.slice(0, 1);
  if (failing === undefined)
    return { type: 'exit', message: `ended with exit code ${summary.exit_code}`, others: [] };
  return { type: failing.code, message: problemText(failing), others: others.map(problemText) };
}

function problemText({
  message,
  hint,
}: {
  readonly message: string;
  readonly hint?: string | undefined;
}): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

function unreportedCase({ key, model }: WantedTake, problem: Problem | undefined): TestCase {
  const why = problem === undefined ? '' : `: ${problem.message}`;
  return { name: key, classname: model, verdict: 'skipped', message: `not bought${why}` };
}

function runCase(
  { failures, inDoubt, qc }: RunOutcome,
  problem: Problem | undefined,
  qcFail: boolean,
): TestCase[] {
  const failing = qcFail && [...qc.values()].some(({ findings }) => findings.length > 0);
  if (problem === undefined || failing || failures.length + inDoubt.length > 0) return [];
  const { type, message, others } = problem;
  const all = [message, ...others].join('; ');
  return [{ name: 'venice-batch', classname: 'venice-batch', verdict: 'error', type, message: all }];
}

function caseText({ name, classname, verdict, type, message = '', note }: TestCase): string {
  const head = `    <testcase ${attributes({ name, classname })}`;
  const why = attributes({ ...(type === undefined ? {} : { type }), message });
  const inner = [
    ...(verdict === 'passed' ? [] : [`<${verdict} ${why}/>`]),
    ...(note === undefined ? [] : [`<system-out>${xmlText(note)}</system-out>`]),
  ].join('');
  return inner === '' ? `${head}/>` : `${head}>${inner}</testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${xmlText(String(value))}"`)
    .join(' ');
}

const XML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 cannot represent most control characters, or lone surrogates: remove them. */
function xmlText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '')
    .replace(/[&<>"']/g, (character) => XML_ENTITIES[character]!);
}
