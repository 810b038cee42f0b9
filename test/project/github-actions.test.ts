import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fault } from './command-line.js';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly concurrency: { readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<Record<string, { readonly if: string; readonly steps: readonly Step[] }>>;
}

const TEXT = readFileSync(new URL('../../examples/github-actions.yml', import.meta.url), 'utf8');
const workflow = parse(TEXT) as Workflow;

function stepsOf(job: string): readonly Step[] {
  return workflow.jobs[job]?.steps ?? [];
}

/** Lines of shell that start this program, with what follows a backslash joined on. */
function commandsOf(steps: readonly Step[]): readonly string[] {
  return steps
    .flatMap(({ run }) => (run ?? '').replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.trim().replace(/^exec /, ''))
    .filter((line) => line.startsWith('venice-batch'));
}

describe('the example for GitHub Actions', () => {
  it('has no command line that this program would not take', () => {
    const commands = Object.keys(workflow.jobs).flatMap((job) => commandsOf(stepsOf(job)));
    expect(commands.length).toBe([...TEXT.matchAll(/^[^#\n]*\bvenice-batch (?=validate|plan|run)/gm)].length);
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.flatMap((line) => fault(line) ?? [])).toEqual([]);
  });

  it('is shell that parses', () => {
    for (const job of Object.keys(workflow.jobs))
      for (const { run } of stepsOf(job))
        if (run !== undefined) expect(() => execFileSync('bash', ['-n'], { input: run })).not.toThrow();
  });

  it('checks and plans pull requests without the key', () => {
    expect(workflow.on).toHaveProperty('pull_request');
    expect(commandsOf(stepsOf('check')).map((line) => line.split(' ')[1])).toEqual(['validate', 'plan']);
    expect(stepsOf('check').some(({ run }) => run?.includes('>> "$GITHUB_STEP_SUMMARY"'))).toBe(true);
    expect(JSON.stringify(workflow.jobs.check)).not.toContain('secrets');
  });

  it('buys on main alone, unattended, within a budget', () => {
    expect(workflow.jobs.make?.if).toContain("github.ref == 'refs/heads/main'");
    expect(commandsOf(stepsOf('make'))).toEqual([
      expect.stringMatching(/^venice-batch run .*--yes --budget \d/),
    ]);
  });

  it('begins with the newest lockfile, and keeps lockfile and audio however the run ends', () => {
    const steps = stepsOf('make');
    const made = steps.findIndex(({ run }) => /^(exec )?venice-batch run/.test(run ?? ''));
    const before = steps.slice(0, made);
    const after = steps.slice(made + 1);
    expect(before.find(({ uses }) => uses?.startsWith('actions/checkout'))?.with?.ref).toBe('main');
    const restore = before.find(({ uses }) => uses?.startsWith('actions/cache/restore'));
    const save = after.find(({ uses }) => uses?.startsWith('actions/cache/save'));
    expect(save?.with).toEqual({ path: restore?.with?.path, key: restore?.with?.key });
    expect(save?.with?.key?.startsWith(restore?.with?.['restore-keys'] ?? 'none')).toBe(true);
    expect(after.some(({ run }) => run?.includes('git add album.lock.jsonl'))).toBe(true);
    for (const step of after) expect(step.if, step.name).toBe('always()');
    expect(workflow.concurrency['cancel-in-progress']).toBe(false);
  });
});
