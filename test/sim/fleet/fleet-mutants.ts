import type { Patch } from '../build.js';
import type { Mutant } from '../mutants.js';

/** The program with one safety step of the shared log switched off, wherever no second step covers it. */
export const FLEET_MUTANTS: readonly Mutant[] = [
  patched(
    'no-last-look-at-the-log',
    'src/run/other-runs.ts',
    'if (lookedAfter !== actions) {',
    'if (lookedAfter !== lookedAfter) {',
  ),
  patched(
    'kept-files-are-not-uploaded',
    'src/run/clean-up.ts',
    'export async function settleKept(context: RunContext, job: Job): Promise<Settled> {\n  const found = await lookForFile(context, job);',
    "export async function settleKept(context: RunContext, job: Job): Promise<Settled> {\n  const found = 'safe' as 'safe' | 'gone' | Settled;",
  ),
  patched(
    'no-judging-after-a-conflict',
    'src/shared-log/append.ts',
    'if (await put(core, recordsOf(open))) break;',
    'while (!(await put(core, recordsOf(open)))) await readForward(core); break;',
  ),
  {
    name: 'other-bytes-after-a-lost-answer',
    family: 'machines',
    patches: [
      {
        file: 'src/shared-log/fill-slot.ts',
        find: 'const answer = await access.store.putIfAbsent(key, bytes);',
        replace: 'const answer = await access.store.putIfAbsent(key, bytes); bytes = withOtherWriter(bytes);',
      },
      {
        file: 'src/shared-log/fill-slot.ts',
        find: "import { createBackoff } from './backoff.js';",
        replace: `import { createBackoff } from './backoff.js';
import { sealLine, sealOf } from '../lockfile/seal.js';
function withOtherWriter(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString().split('\\n').map((line) =>
    line.startsWith('{"entry":') ? sealLine(sealOf(line)!.json.replace(/"writer":"./, '"writer":"x')) : line);
  return Buffer.from(lines.join('\\n'));
}`,
      },
    ],
  },
  patched(
    'absent-was-not-written',
    'src/shared-log/fill-slot.ts',
    'doubtful();',
    'if ((await access.store.get(key).catch(() => bytes)) === undefined) throw answer.why; doubtful();',
  ),
  patched(
    'what-exists-is-ours',
    'src/shared-log/append.ts',
    "if (answer === 'created') takeEntry",
    'if (answer !== undefined) takeEntry',
  ),
  patched(
    'errors-500-of-the-store-are-refusals',
    'src/shared-log/s3-store.ts',
    "if (code === '' || fault.kind === 'unreachable') return",
    "if (code === '') return",
  ),
  patched(
    'gaps-are-not-seen',
    'src/shared-log/log-core.ts',
    'core.damage ??= logError(problem, core.about);',
    "if (problem.kind !== 'gap') core.damage ??= logError(problem, core.about);",
  ),
  patched(
    'entries-deleted-while-they-are-read-are-not-seen',
    'src/shared-log/read-log.ts',
    'for (const bytes of found) {\n      if (bytes === undefined) passOver(core);',
    'for (const bytes of found) {\n      if (bytes === undefined && !missing.has(core.state.next)) { core.state.next += 1; core.state.last = undefined; }\n      else if (bytes === undefined) passOver(core);',
  ),
  {
    name: 'deleted-newest-entries-are-not-seen',
    family: 'machines',
    patches: [
      {
        file: 'src/app/open-shared.ts',
        find: 'if (missing.length === 0 || log.fault() !== undefined) return',
        replace: 'if (missing.length >= 0 || log.fault() !== undefined) return',
      },
      { file: 'src/app/open-shared.ts', find: 'Math.max(1, seen)', replace: '1' },
    ],
  },
  {
    name: 'checkpoint-ahead-of-the-log',
    family: 'machines',
    patches: [
      {
        file: 'src/shared-log/append.ts',
        find: 'const bytes = encodeCheckpoint({ ...state, header });',
        replace: 'const bytes = encodeCheckpoint({ ...state, header, next: next + 1 });',
      },
      {
        file: 'src/shared-log/append.ts',
        find: 'await core.store.putIfAbsent(checkpointKey(next - 1), bytes)',
        replace: 'await core.store.putIfAbsent(checkpointKey(next), bytes)',
      },
    ],
  },
  patched(
    'store-is-not-tested',
    'src/shared-log/open-log.ts',
    'proof ??= proveStore(core, core.about).catch(',
    'proof ??= (core.about === undefined ? proveStore(core, core.about) : Promise.resolve()).catch(',
  ),
  {
    name: 'intents-of-other-runs-are-settled',
    family: 'machines',
    patches: [
      {
        file: 'src/run/recover.ts',
        find: "return sharing?.holderOf(attempt).kind !== 'elsewhere';",
        replace: "return sharing?.holderOf(attempt).kind !== 'nowhere' as string;",
      },
      {
        file: 'src/shared-log/judge.ts',
        find: "if (known.state === 'intent' && maker !== run && limits.byPerson !== true) return 'superseded';",
        replace: "if (known.state === 'intent' && maker === undefined) return 'superseded';",
      },
    ],
  },
  patched(
    'budget-of-the-beginning',
    'src/shared-log/judge.ts',
    'isWithinBudget(all, attempt,',
    'isWithinBudget([], attempt,',
  ),
  patched(
    'intent-before-the-log',
    'src/shared-log/shared-store.ts',
    "if (attempt.state === 'intent') return claim(core, attempt, limits);",
    "if (attempt.state === 'intent') { void claim(core, attempt, limits).catch(() => {}); return 'recorded'; }",
  ),
  patched(
    'clean-up-before-the-log-knows',
    'src/run/clean-up.ts',
    'if (sharing === undefined || sharing.has(attempt)) return true;',
    'if (sharing === undefined || attempt.rev > 0) return true;',
  ),
  patched('damaged-audio-counts-as-stored', 'src/run/upload.ts', 'audio.holds(sha256)', 'audio.has(sha256)'),
  {
    name: 'clean-up-before-the-audio-store',
    family: 'machines',
    patches: [
      {
        file: 'src/run/collect-audio.ts',
        find: 'const uploaded = await uploadFile(context, outcome.file);',
        replace:
          "const uploaded = 'banked' as Uploaded; if (uploaded !== 'banked') await uploadFile(context, outcome.file);",
      },
      {
        file: 'src/run/clean-up.ts',
        find: 'if (file === undefined || context.audio === undefined) return true;',
        replace: 'if (file === undefined || context.audio !== null) return true;',
      },
    ],
  },
  {
    name: 'late-runs-set-jobs-back',
    family: 'machines',
    patches: [
      {
        file: 'src/run/record.ts',
        find: 'if (!isRelevant(before, observation)) {',
        replace: 'if (!isRelevant(before, observation) && before.rev < 0) {',
      },
      {
        file: 'src/shared-log/judge.ts',
        find: '|| isSetBack(attempt, known))',
        replace: '|| attempt.rev < 0)',
      },
    ],
  },
  patched(
    'given-up-files-are-not-looked-for',
    'src/run/recover.ts',
    'await unlessStuck(findGivenUp(context, attempt, nowMs, look));',
    'if (attempt.rev < 0) await unlessStuck(findGivenUp(context, attempt, nowMs, look));',
  ),
  patched(
    'old-plans-buy-what-is-done-since',
    'src/shared-log/judge.ts',
    "(other.state === 'done' && planned !== 'done')",
    "(other.state === 'done' && planned === undefined)",
  ),
  patched(
    'waiting-runs-signal-that-they-are-alive',
    'src/run/other-runs.ts',
    'const beats = !isWaiting &&',
    'const beats = (isWaiting || !isWaiting) &&',
  ),
  patched(
    'late-doubt-overrules-the-user',
    'src/shared-log/judge.ts',
    "if (known.state === 'rejected') return attempt.state === 'in_doubt' &&",
    "if (known.state === 'rejected') return attempt.rev < 0 &&",
  ),
];

function patched(name: string, file: string, find: string, replace: string): Mutant {
  const patch: Patch = { file, find, replace };
  return { name, family: 'machines', patches: [patch] };
}
