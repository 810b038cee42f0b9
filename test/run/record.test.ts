import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import { type Job, newJob, type RunContext } from '../../src/run/context.js';
import { recordOutcome } from '../../src/run/record.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, header } from '../lockfile/build.js';

const intent = attempt({ state: 'intent' });

/** What is told when the response to a submit has arrived, and the lockfile cannot be written. */
async function unwritable(fault: Error, rescueKey: string | undefined) {
  const events: RunEvent[] = [];
  const context = {
    ports: { clock: { nowMs: () => 0, sleep: async () => {} }, files: createMemoryDisk().files },
    store: { header, newest: () => intent, record: () => Promise.reject(fault), fault: () => undefined },
    scheduler: { learnedLimits: () => ({}), stopSubmitting() {} },
    rescue: { places: { directories: ['/rescue'] }, key: rescueKey },
    limitsRecorded: {},
    stopReasons: new Set(),
    halt: new AbortController(),
    dropUnsubmitted() {},
    settings: { command },
    keySignature: createKeySignature('0'.repeat(32), 'key'),
    emit: (event: RunEvent) => events.push(event),
  } as unknown as RunContext;
  const job: Job = newJob('job', 'one', { attempt: intent });
  const queued = { queueId: 'job', model: intent.model };
  await recordOutcome(context, job, { kind: 'submitted', outcome: { kind: 'accepted', queued } } as never);
  return events.flatMap((event) => (event.type === 'notice' ? [event] : []));
}

it.each([
  ['EPERM', 'change the permissions'],
  ['EROFS', 'make it writable'],
  ['ENOSPC', 'free some space'],
  ['', 'fix the disk or the folder'],
])(
  'a lockfile that cannot be written (%s): the advice is to %s, and never to use another one',
  async (code, repair) => {
    const fault = Object.assign(new Error('no'), code === '' ? {} : { code });
    const [rescued] = (await unwritable(fault, 'key')).filter((one) => one.code === 'record-rescued');
    expect(rescued?.hint).toBe(
      `${repair}, then run the same command again: the rescue file is found automatically`,
    );
    const [lost] = (await unwritable(fault, undefined)).filter((one) => one.code === 'record-lost');
    expect(lost?.hint).toBe(`${repair}, then: ${command('resolve', intent.attempt, '--queue-id', 'job')}`);
  },
);
