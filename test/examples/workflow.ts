import { parse } from 'yaml';
import type { Env } from '../e2e/launch.js';
import { example } from './machine.js';

export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Env;
}

export interface Job {
  readonly if?: string;
  readonly needs?: string;
  readonly env?: Env;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
  readonly steps: readonly Step[];
}

/** A workflow of GitHub Actions. */
export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly env?: Env;
  readonly concurrency?: { readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

export function workflow(name: string): Workflow {
  return parse(example(name)) as Workflow;
}

/** The settings of a repository, by the names of GitHub's expressions: `secrets.VENICE_API_KEY`. */
export type Setup = Readonly<Record<string, string>>;

/** One script to run, with the environment from the workflow. */
export interface Script {
  readonly name: string;
  readonly run: string;
  readonly env: Env;
  /** Also runs after a failed step. */
  readonly always: boolean;
}

/** The scripts of a job in order, with expressions filled in. */
export function scriptsOf(file: Workflow, job: string, setup: Setup): readonly Script[] {
  const { env = {}, steps } = file.jobs[job]!;
  return steps.flatMap(({ run, name = run, env: own = {}, if: condition }): Script[] =>
    run === undefined
      ? []
      : [
          {
            name: name ?? run,
            run: filled(run, setup),
            env: filledIn({ ...file.env, ...env, ...own }, setup),
            always: condition === 'always()',
          },
        ],
  );
}

function filledIn(env: Env, setup: Setup): Env {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value, setup)]));
}

/** An undefined expression is empty, as GitHub does for secrets and variables. */
function filled(text: string, setup: Setup): string {
  return text.replace(/\$\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => setup[name] ?? '');
}
