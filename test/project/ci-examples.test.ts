import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { example, PACKAGE } from '../examples/machine.js';
import { type Step, scriptsOf, workflow } from '../examples/workflow.js';
import { fault } from './command-line.js';

const GITHUB = ['github-actions.yml', 'github-actions-matrix.yml'];
const FILES = [...GITHUB, 'gitlab-ci.yml', 'cron.sh'];

/** Command lines of this program in a shell script or in YAML; folded lines are joined. */
function commandsOf(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n/g, ' ')
    .replaceAll(
      />-\n((?: {10}\S.*\n)+)/g,
      (_, lines: string) => `${lines.trim().replaceAll(/\n\s+/g, ' ')}\n`,
    )
    .split('\n')
    .map((line) => line.trim().replace(/^(?:- )?(?:run: )?(?:exec )?/, ''))
    .filter((line) => line.startsWith('venice-batch'))
    .map((line) => line.replace(/"\$\{[^}]*\}"/g, 'file'));
}

function stepsOf(file: string, job: string): readonly Step[] {
  return workflow(file).jobs[job]?.steps ?? [];
}

describe('the examples for CI', () => {
  it.each(FILES)('have only valid command lines: %s', (file) => {
    const commands = commandsOf(example(file));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.flatMap((line) => fault(line) ?? [])).toEqual([]);
  });

  it.each(FILES)('install the tested version: %s', (file) => {
    const installed = [...example(file).matchAll(/npm install --global (\S+)/g)].map(([, name]) => name);
    expect(installed.length).toBeGreaterThan(0);
    expect(new Set(installed)).toEqual(new Set([PACKAGE]));
  });

  it.each(FILES)('let signals reach a program that buys: %s', (file) => {
    const buying = example(file)
      .split('\n')
      .filter((line) => /venice-batch run .*--yes/.test(line));
    expect(buying.length).toBeGreaterThan(0);
    for (const line of buying) expect(line).toContain('exec venice-batch run');
  });

  it.each(GITHUB)('are valid shell scripts: %s', (file) => {
    for (const job of Object.keys(workflow(file).jobs))
      for (const { run } of scriptsOf(workflow(file), job, {}))
        expect(() => execFileSync('bash', ['-n'], { input: run })).not.toThrow();
  });

  it('check and plan pull requests without any secret', () => {
    expect(workflow('github-actions.yml').on).toHaveProperty('pull_request');
    const commands = scriptsOf(workflow('github-actions.yml'), 'check', {}).flatMap(({ run }) =>
      commandsOf(run),
    );
    expect(commands.map((line) => line.split(' ')[1])).toEqual(['validate', 'plan']);
    expect(JSON.stringify(workflow('github-actions.yml').jobs.check)).not.toContain('secrets');
  });

  it('buy only on main and never cancel a run in progress', () => {
    const { jobs, concurrency } = workflow('github-actions.yml');
    expect(jobs.make?.if).toContain("github.ref == 'refs/heads/main'");
    expect(concurrency?.['cancel-in-progress']).toBe(false);
  });

  it('start with the newest lockfile, and save it and the audio however the run ends', () => {
    const steps = stepsOf('github-actions.yml', 'make');
    const made = steps.findIndex(({ run }) => run?.startsWith('exec venice-batch run'));
    expect(steps.slice(0, made).find(({ uses }) => uses?.startsWith('actions/checkout'))?.with?.ref).toBe(
      'main',
    );
    const after = steps.slice(made + 1);
    expect(after.some(({ run }) => run?.includes('git add album.lock.jsonl'))).toBe(true);
    expect(after.some(({ uses }) => uses?.startsWith('actions/upload-artifact'))).toBe(true);
    for (const step of after) expect(step.if, step.name).toBe('always()');
  });

  it('are in the package', () => {
    const { files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      files: string[];
    };
    expect(files).toEqual(expect.arrayContaining(['examples/*.yml', 'examples/*.sh']));
  });
});
