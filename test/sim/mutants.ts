import type { Patch } from './build.js';
import { FLEET_MUTANTS } from './fleet/fleet-mutants.js';
import { LIMIT_MUTANTS } from './limit-mutants.js';
import type { Family, SimWorld, Tampering } from './world.js';

/**
 * The program with one safety step switched off. The judge has to catch each within some thousand seeds: a simulation
 * that misses its own sabotage proves nothing.
 */
export interface Mutant {
  readonly name: string;
  /** The family of worlds that catches it. Default: `one`. */
  readonly family?: Family;
  readonly patches?: readonly Patch[];
  readonly tampering?: Tampering;
}

/** Nothing but the guard file keeps other runs out. */
const NO_CLAIM: Patch = {
  file: 'src/lockfile/run-lock.ts',
  find: 'const claim = await processes.claim(name);',
  replace: "const claim = { kind: name === '' ? 'taken' : 'unsupported' } as NameClaim;",
};

const NO_LOOK_AFTER_APPENDING: Patch = {
  file: 'src/lockfile/lock-file.ts',
  find: 'if (now?.id !== seen?.id || now?.bytes !== at + bytes.length) return rewrite(file, records);',
  replace: '',
};

export const MUTANTS: readonly Mutant[] = [
  ...LIMIT_MUTANTS,
  patched(
    'no-intent',
    'src/run/claim.ts',
    'await context.store.record(intent, context.limits);',
    "'recorded' as string as Awaited<ReturnType<typeof context.store.record>>;",
  ),
  patched(
    'intent-not-awaited',
    'src/run/claim.ts',
    'await context.store.record(intent, context.limits);',
    "'recorded' as string as Awaited<ReturnType<typeof context.store.record>>; context.store.record(intent).catch(() => {});",
  ),
  patched('no-file-sync', 'src/storage/download.ts', 'if (sync) await handle.sync();', ''),
  patched('no-lockfile-sync', 'src/lockfile/lock-file.ts', 'await file.handle.sync();', ''),
  { name: 'no-folder-sync', tampering: { ports: withoutFolderSync } },
  patched(
    'published-without-folder-sync',
    'src/storage/link-into-place.ts',
    "await files.syncDirectory(path.dirname(from));\n  return 'published';",
    "return 'published';",
  ),
  patched(
    'old-name-goes-first',
    'src/storage/link-into-place.ts',
    'if (path.dirname(from) !== path.dirname(to)) await files.syncDirectory(path.dirname(to));',
    '',
  ),
  { name: 'resend-on-5xx', tampering: { transport: resending } },
  patched(
    'errors-500-are-refusals',
    'src/venice/submit-outcome.ts',
    "[503, 'wait'],",
    "[503, 'wait'], [500, 'wait'],",
  ),
  patched(
    'pages-are-refusals',
    'src/venice/submit-outcome.ts',
    'const next = isRefusal(result) && !namesJob ?',
    "const next = isRefusal(result) || result.kind === 'unusable' ?",
  ),
  patched(
    'plain-words-are-refusals',
    'src/venice/submit-outcome.ts',
    'return status !== 503 || isModelBusy(result) || (plain !== true && !isOfGateway(result));',
    'return true;',
  ),
  patched(
    'lost-answer-is-not-sent',
    'src/venice/submit-outcome.ts',
    "result.kind === 'no_answer' && !result.sent",
    "result.kind === 'no_answer'",
  ),
  patched(
    'one-404-is-lost',
    'src/run/poll.ts',
    'const UNKNOWN_ID_PAUSES_MS = [5_000, 30_000];',
    'const UNKNOWN_ID_PAUSES_MS: number[] = [];',
  ),
  patched(
    'one-500-is-failed',
    'src/run/poll.ts',
    'if (context.serverErrors.came(job.id, expectedAtMs, nowMs)) {',
    'if (context.serverErrors.came(job.id, expectedAtMs, nowMs) || nowMs > 0) {',
  ),
  patched(
    'failed-is-refunded-on-any-day',
    'src/venice/retrieve-outcome.ts',
    'utcDay(serviceMs - sinceMs) === utcDay(serviceMs)',
    'utcDay(serviceMs - sinceMs) <= utcDay(serviceMs)',
  ),
  patched(
    'unstated-refund-is-refunded',
    'src/venice/retrieve-outcome.ts',
    'return status !== undefined && ',
    'return ',
  ),
  patched(
    'requeue-on-404',
    'src/plan/decide.ts',
    "if (decided.reason?.code === 'requeued') return",
    'if (decided !== undefined) return',
  ),
  patched(
    'corrupt-lockfile-is-empty',
    'src/lockfile/read.ts',
    'if (first !== undefined) return { read: { ok: false, problems: [first, ...others] }, bytes, header };',
    'if (first !== undefined && others.length >= 0) return { read: { ok: true, ...(header && { header }), attempts: new Map(), notes: [], bytes: bytes.length, journals: [] }, bytes };',
  ),
  patched(
    'bad-lines-are-skipped',
    'src/lockfile/read.ts',
    'if (first !== undefined) return { read: { ok: false, problems: [first, ...others] }, bytes, header };',
    'if (first !== undefined && others.length < 0) return { read: { ok: false, problems: [first, ...others] }, bytes, header };',
  ),
  patched(
    'salvaged-jobs-do-not-stop-buying',
    'src/app/price-plan.ts',
    'lostAnswersError(input.attempts, input.command) ?? salvaged;',
    'lostAnswersError(input.attempts, input.command);',
  ),
  patched('damaged-lines-are-forgotten', 'src/lockfile/set-aside.ts', '      fold.add(added);\n', ''),
  patched(
    'missing-lines-are-forgotten',
    'src/lockfile/repair.ts',
    'const inDoubt = lost ? missingLines(text) : undefined;',
    'const inDoubt = lost && text.length === 0 ? missingLines(text) : undefined;',
  ),
  patched(
    'takes-of-damaged-lines-are-new',
    'src/plan/decide.ts',
    'take.formerDigest, UNKNOWN_DIGEST]',
    "take.formerDigest, UNKNOWN_DIGEST === '' ? UNKNOWN_DIGEST : undefined]",
  ),
  patched(
    'lockfile-rewritten-in-place',
    'src/lockfile/lock-file.ts',
    'file.seen = await replaceFile(files, path, pieces, scratch(file), inPlace);',
    "await inPlace(); const same = await file.files.open(file.path, 'truncate'); await same.write(Buffer.concat(pieces)); await same.sync(); await same.close();",
  ),
  patched(
    'moved-folder-is-created-again',
    'src/lockfile/lock-folder.ts',
    'if (folder === undefined || (await',
    'if (folder === undefined || folder !== undefined || (await',
  ),
  {
    name: 'torn-end-is-appended-to',
    patches: [
      {
        file: 'src/lockfile/lock-file.ts',
        find: "file.end = { kind: 'unsound', bytesMin: at, bytesMax: at + bytes.length };",
        replace: '',
      },
      {
        file: 'src/lockfile/lock-file.ts',
        find: 'return seen !== undefined && isSame(now, seen) && now?.bytes === end.bytes;',
        replace: 'return now !== undefined;',
      },
      NO_LOOK_AFTER_APPENDING,
    ],
  },
  patched(
    'complete-before-stored',
    'src/run/collect-audio.ts',
    'const outcome = await storeAudio(context, job, attempt, audio);',
    "const outcome = await storeAudio(context, job, attempt, audio); await context.client.complete(attempt.model, attempt.queue_id ?? '');",
  ),
  patched(
    'deleted-as-it-is-fetched',
    'src/venice/create-client.ts',
    "const body = { model, queue_id: queueId };\n      const good = await exchange(transport, post('/audio/retrieve'",
    "const body = { model, queue_id: queueId, delete_media_on_completion: true };\n      const good = await exchange(transport, post('/audio/retrieve'",
  ),
  patched(
    'queue-id-recorded-late',
    'src/run/submit.ts',
    "const known = await recordOutcome(context, job, { kind: 'submitted', outcome });",
    "const known = outcome.kind === 'accepted' || (await recordOutcome(context, job, { kind: 'submitted', outcome })); if (outcome.kind === 'accepted') job.attempt = { ...intent, rev: intent.rev + 1, state: 'queued', queue_id: outcome.queued.queueId };",
  ),
  patched(
    'record-failures-are-ignored',
    'src/run/record.ts',
    'fault = error;',
    'fault = error; job.attempt = attempt; return true;',
  ),
  patched(
    'budget-without-reservations',
    'src/lockfile/attempt.ts',
    "return attempt.state !== 'rejected' && attempt.refunded !== true;",
    "return attempt.state === 'done' && attempt.refunded !== true;",
  ),
  patched(
    'price-never-quoted-again',
    'src/run/prices.ts',
    'clock.nowMs() - newestOf(quote).quotedAtMs <= QUOTE_AGE_MS_MAX;',
    'newestOf(quote).quotedAtMs > 0;',
  ),
  patched(
    'nothing-is-approved',
    'src/app/approve.ts',
    'const answer = await world.approve(prepared.plan, prepared.balance);',
    "const answer = 'approved' as string as 'approved' | 'declined';",
  ),
  patched(
    'any-price-is-accepted',
    'src/app/approve.ts',
    '(!suspicious || settings.acceptPrice === true)',
    '(!suspicious || settings.acceptPrice !== true)',
  ),
  patched(
    'price-that-fell-is-reserved',
    'src/run/current-price.ts',
    'if (isSuspiciouslyLow(priceMicroUsd, quote.microUsd)) return quote.microUsd;',
    '',
  ),
  patched(
    'doubt-is-forgotten',
    'src/plan/history.ts',
    "return attempt.state === 'in_doubt' || (attempt.state === 'intent' && attempt.run === undefined);",
    "return attempt.state === 'intent';",
  ),
  patched(
    'open-intent-was-not-sent',
    'src/run/recover.ts',
    "outcome: { kind: 'in_doubt', code: 'run_ended',",
    "outcome: { kind: 'not_sent', code: 'run_ended',",
  ),
  patched(
    'forced-over-doubt',
    'src/plan/decide.ts',
    'if (doubtful !== undefined) return',
    'if (doubtful !== undefined && input.selection.force.length === 0) return',
  ),
  patched(
    'untracked-files-are-not-seen',
    'src/plan/decide.ts',
    'const path = input.occupied(take.stem);',
    'const path = input.selection.force.length < 0 ? input.occupied(take.stem) : undefined;',
  ),
  patched(
    'unmarked-end-is-trusted',
    'src/run/store-file.ts',
    'const endIsMarked = audio.answer.framed ||',
    'const endIsMarked = audio.answer.framed || audio.contentLength === undefined ||',
  ),
  patched(
    'audio-is-not-checked',
    'src/storage/download.ts',
    "if (finding.kind !== 'whole') return refusal(finding, audio.mediaType, received);",
    "if (finding.kind !== 'whole') finding = { kind: 'whole', mediaType: 'audio/wav' };",
  ),
  patched(
    'files-are-replaced',
    'src/storage/link-into-place.ts',
    "await files.link(from, to);\n    return 'linked';",
    "await files.rename(from, to);\n    return 'renamed';",
  ),
  patched(
    'moves-are-not-journaled',
    'src/storage/move.ts',
    "await store.record(changed(store, attempt, { move_to: to }));\n  return finishMove(context, store.newest(attempt.attempt) ?? attempt, 'ours');",
    "return finishMove(context, { ...attempt, move_to: to }, 'ours');",
  ),
  {
    name: 'no-guard',
    patches: [
      NO_CLAIM,
      {
        file: 'src/lockfile/run-lock-file.ts',
        find: 'if (!mayFollow(holder)) return { ok: false, held: holder };',
        replace: 'if (!mayFollow(holder)) return { ok: true };',
      },
    ],
  },
  {
    name: 'guard-taken-by-age',
    patches: [
      NO_CLAIM,
      {
        file: 'src/lockfile/run-lock-file.ts',
        find: 'if (!mayFollow(holder))',
        replace: 'if (!mayFollow(holder) && holder.ageMs < 10_000)',
      },
    ],
  },
  {
    name: 'clean-up-of-the-done',
    patches: [
      {
        file: 'src/run/create-jobs.ts',
        find: "else if (attempt.state === 'stored') scheduler.addCleanUp",
        replace: "else if (attempt.state === 'stored' || attempt.state === 'done') scheduler.addCleanUp",
      },
      {
        file: 'src/run/clean-up.ts',
        find: "if (attempt.state !== 'stored' || attempt.queue_id === undefined) return GONE;",
        replace: 'if (attempt.queue_id === undefined) return GONE;',
      },
      {
        file: 'src/app/run-batch.ts',
        find: 'const toCollect = [...store.attempts.values()].filter((one) => isInFlight(one) || isClaimed(one));',
        replace:
          'const toCollect = [...store.attempts.values()].filter((one) => isInFlight(one) || one.queue_id !== undefined);',
      },
    ],
  },
  patched(
    'unverified-is-left',
    'src/run/create-jobs.ts',
    "if (attempt.state === 'queued' || attempt.state === 'unverified')",
    "if (attempt.state === 'queued')",
  ),
  patched(
    'accepted-is-not-compared',
    'src/run/accept-kept.ts',
    "if (found !== undefined && found.sha256 !== kept.sha256) return { ok: false, why: 'changed' };",
    '',
  ),
  patched(
    'orphans-are-left',
    'src/run/create-jobs.ts',
    'if (attempt.queue_id === undefined) return undefined;',
    "if (attempt.queue_id === undefined || !takes.has(attempt.track + '#' + attempt.take)) return undefined;",
  ),
  patched(
    'key-in-a-notice',
    'src/app/emit.ts',
    "world.emit({ type: 'phase',",
    "world.emit({ key: world.account?.id, type: 'phase',",
  ),
  patched(
    'guard-elsewhere',
    'src/lockfile/run-lock.ts',
    "return privatePath(lockPath, '.guard');",
    "return '/' + lockPath.replaceAll('/', '-');",
  ),
  { name: 'name-not-claimed', patches: [NO_CLAIM] },
  patched(
    'other-boot-is-dead',
    'src/lockfile/liveness.ts',
    'if (!isSameMachine(holder, self))',
    'if (!bootsKnown && !isSameMachine(holder, self))',
  ),
  patched(
    'journals-are-not-read',
    'src/lockfile/read.ts',
    'if (journals.length === 0) return read;',
    'if (journals.length >= 0) return read;',
  ),
  patched(
    'copy-is-not-read',
    'src/lockfile/journal.ts',
    'if (copy && same !== undefined && Buffer.compare(bytes, same) === 0) continue;',
    'if (copy) continue;',
  ),
  {
    name: 'lockfile-is-not-looked-at',
    patches: [
      {
        file: 'src/lockfile/lock-file.ts',
        find: 'return seen !== undefined && isSame(now, seen) && now?.bytes === end.bytes;',
        replace: 'return seen !== undefined;',
      },
      NO_LOOK_AFTER_APPENDING,
    ],
  },
  patched(
    'clean-up-without-a-check',
    'src/run/clean-up.ts',
    "if (found === 'gone') return fetchAgain(context, job, attempt);\n  if",
    'if',
  ),
  patched(
    'size-alone-before-clean-up',
    'src/run/clean-up.ts',
    "stateOf(context, attempt, 'hash', place)",
    "stateOf(context, attempt, 'size', place)",
  ),
  patched(
    'hours-asleep-count',
    'src/run/poll.ts',
    'Math.min(LOOKS_APART_MS_MAX, askedMs - (job.lastRunningMs ?? askedMs))',
    'askedMs - (job.lastRunningMs ?? askedMs)',
  ),
  {
    name: 'odd-numbers-are-believed',
    patches: [
      {
        file: 'src/venice/wire.ts',
        find: "duration(field(body, 'average_execution_time'), RUN_MS_MIN)",
        replace: "duration(field(body, 'average_execution_time'), 0)",
      },
      {
        file: 'src/scheduler/run-time-estimator.ts',
        find: 'const boundedMs = Math.min(EDGES[BINS]!, Math.max(FIRST_MS, p80Ms));',
        replace: 'const boundedMs = p80Ms;',
      },
      // A job that was seen running has a latest next poll, even by an estimate that is not a number.
      {
        file: 'src/scheduler/poll-cost.ts',
        find: '    ageMs === 0\n      ? Math.min(4',
        replace: '    ageMs >= 0\n      ? Math.min(4',
      },
    ],
  },
  patched(
    'length-is-not-compared',
    'src/storage/download.ts',
    'if (audio.contentLength !== undefined && received.bytes !== audio.contentLength)',
    'if (audio.contentLength !== undefined && received.bytes > audio.contentLength)',
  ),
  patched(
    'submits-after-stop',
    'src/run/submit.ts',
    'if (!may || context.stop.aborted || !context.buying)',
    'if (!may)',
  ),
  patched(
    'doubt-frees-its-price',
    'src/run/submit.ts',
    "      emitTake(context, job, 'in_doubt', outcomeDetails(outcome));",
    "      context.ceiling.release(intent.quote_micro_usd); emitTake(context, job, 'in_doubt', outcomeDetails(outcome));",
  ),
  patched(
    'price-rise-is-paid',
    'src/run/current-price.ts',
    'if (priceMicroUsd <= quote.microUsd) return priceMicroUsd;',
    'if (priceMicroUsd > 0) return priceMicroUsd;',
  ),
  patched(
    'taken-id-is-new',
    'src/run/submit.ts',
    'if (!context.queueIds.has(queueId)) {',
    'if (queueId !== undefined) {',
  ),
  patched(
    'adopted-without-a-check',
    'src/run/look-at-job.ts',
    "if (isMalformed || outcome.kind === 'unknown_id') return { kind: 'unknown' };",
    "if (isMalformed || outcome.kind === 'unknown_id') return { kind: 'known' };",
  ),
  patched(
    'lost-answers-stop-one-run',
    'src/app/price-plan.ts',
    'if (lost !== undefined)',
    'if (lost !== undefined && input.attempts.length === 0)',
  ),
  patched(
    'price-ages-while-stopped',
    'src/run/submit.ts',
    'if (!context.prices.isFresh(purchase.quote))',
    'if (!context.prices.isFresh(purchase.quote) && intent.quote_micro_usd < 0)',
  ),
  patched('links-are-followed', 'src/storage/output.ts', 'files: await files.below(root)', 'files'),
  patched(
    'any-key-signature-is-ours',
    'src/lockfile/key-signature.ts',
    'attempt.file !== undefined && attempt.key === of(attempt);',
    'attempt.file !== undefined;',
  ),
  patched(
    'moves-without-a-hash',
    'src/storage/move.ts',
    'if ((await files.facts(place))?.bytes !== bytes) return false;\n  return (await hashOf(place)) === sha256;',
    "return place !== '' || bytes === 0 || sha256 === '' || files === undefined || hashOf === undefined;",
  ),
  patched(
    'anything-is-moved',
    'src/storage/move.ts',
    'return [from, to].every((name) => AUDIO_NAMES.has(path.posix.extname(name)));',
    'return from !== to;',
  ),
  patched(
    'end-mark-is-not-required',
    'src/lockfile/lock-text.ts',
    'version === undefined || version === 1 ? undefined : ends.fault();',
    'version === undefined ? ends.fault() : undefined;',
  ),
  patched(
    'checksum-is-not-compared',
    'src/lockfile/seal.ts',
    'right: sum === hex(crc32(json))',
    'right: sum.length === 8',
  ),
  {
    ...patched(
      'contested-file-goes-by-size',
      'src/run/recover.ts',
      "(await stateOf(view, attempt, 'hash', place, hashOf))",
      "(await stateOf(view, attempt, 'size', place, hashOf))",
    ),
    // Only if a file is deleted early, another takes its name, and both have the same size.
    tampering: { world: tidied },
  },
];

/** Somebody often deletes files, and all files have the same size. */
function tidied({ server, trouble }: SimWorld): void {
  server.alike = true;
  trouble.rates = { ...trouble.rates, removed: 0.8 };
}

function patched(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

function withoutFolderSync(ports: Parameters<NonNullable<Tampering['ports']>>[0]) {
  return { ...ports, files: { ...ports.files, syncDirectory: async () => {} } };
}

function resending(transport: Parameters<NonNullable<Tampering['transport']>>[0]): typeof transport {
  return async (request) => {
    const first = await transport(request);
    const failed = first.kind === 'no_answer' ? first.sent : first.status >= 500;
    if (request.path !== '/audio/queue' || !failed) return first;
    if (first.kind === 'answer') first.discard();
    return transport(request);
  };
}

/** For both families. */
export const ALL_MUTANTS: readonly Mutant[] = [...MUTANTS, ...FLEET_MUTANTS];

/** Changes to the program in all worlds of a family. */
const FAMILY_PATCHES: Readonly<Record<Family, readonly Patch[]>> = {
  one: [],
  // Short logs get checkpoints as often as long ones.
  machines: [
    {
      file: 'src/shared-log/checkpoint.ts',
      find: 'ENTRIES_PER_CHECKPOINT = 100;',
      replace: 'ENTRIES_PER_CHECKPOINT = 7;',
    },
  ],
  losses: [],
};

export function patchesOf(family: Family, mutant: string | undefined): readonly Patch[] {
  return [...FAMILY_PATCHES[family], ...(mutantNamed(mutant)?.patches ?? [])];
}

export function mutantNamed(name: string | undefined): Mutant | undefined {
  if (name === undefined) return undefined;
  const mutant = ALL_MUTANTS.find((one) => one.name === name);
  if (mutant === undefined)
    throw new Error(`no mutant is called ${name}: ${ALL_MUTANTS.map((one) => one.name).join(', ')}`);
  return mutant;
}
