import type { TakeEvent } from '../events.js';
import { isFailure, type RunOutcome } from './outcome.js';
import { failureReason, stateName } from './phrases.js';

/** The run as JUnit XML: a test case a take. In doubt is an error, not made is a failure, in flight is skipped. */
export function renderJunit(outcome: RunOutcome): string {
  const { takes, failures, inDoubt } = outcome;
  const skipped = takes.filter((take) => verdict(take) === 'skipped');
  const counts = attributes({
    tests: takes.length,
    failures: failures.length,
    errors: inDoubt.length,
    skipped: skipped.length,
    time: ((outcome.summary?.duration_ms ?? 0) / 1000).toFixed(3),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="venice-batch" ${counts}>`,
    `  <testsuite name="venice-batch" ${counts}>`,
    ...takes.map(testCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

type Verdict = 'passed' | 'failure' | 'error' | 'skipped';

function verdict(take: TakeEvent): Verdict {
  if (take.state === 'in_doubt') return 'error';
  if (isFailure(take.state)) return 'failure';
  return take.state === 'stored' || take.state === 'done' ? 'passed' : 'skipped';
}

function testCase(take: TakeEvent): string {
  const head = `    <testcase ${attributes({ name: take.key, classname: take.model })}`;
  const kind = verdict(take);
  switch (kind) {
    case 'passed':
      return `${head}/>`;
    case 'skipped':
      return `${head}><skipped ${attributes({ message: stateName(take.state) })}/></testcase>`;
    default:
      return `${head}><${kind} ${attributes({ type: take.code ?? take.state, message: failureReason(take) })}/></testcase>`;
  }
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

/** XML 1.0 knows no way to write most control characters, nor half a surrogate pair: they go. */
function xmlText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '')
    .replace(/[&<>"']/g, (character) => XML_ENTITIES[character]!);
}
