import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLI, type Ended, type Env, launch, type Started } from '../e2e/launch.js';
import { afterTests, folder } from '../e2e/program.js';
import { type GitServer, git } from '../tools/git-server.js';

export const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

export interface Packaged {
  readonly version: string;
}

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Packaged;
export const PACKAGE = `venice-batch@${version}`;

/** A runner: an empty machine with a fresh clone of the repository, and venice-batch not yet installed. */
export interface Machine {
  readonly clone: string;
  /** Runs one step's script, as a runner does: in a shell of its own that stops at the first failure. */
  start(script: string, env?: Env): Started;
  run(script: string, env?: Env): Promise<Ended>;
}

const STEP_MS_MAX = 120_000;

export function createMachine(server: GitServer, env: Env): Machine {
  const home = folder();
  const clone = path.join(home, 'clone');
  cloneOf(server, clone);
  git(['-C', clone, 'remote', 'set-url', 'origin', server.url]);
  const bin = path.join(home, 'bin');
  mkdirSync(bin);
  writeNpm(bin);
  const start = (script: string, more: Env = {}) => {
    const file = path.join(home, 'step.sh');
    writeFileSync(file, script);
    const started = launch(
      ['bash', '--noprofile', '--norc', '-eo', 'pipefail', file],
      clone,
      {
        ...env,
        ...more,
        PATH: `${bin}:${process.env.PATH ?? ''}`,
        HOME: home,
        GIT_CONFIG_GLOBAL: path.join(home, 'gitconfig'),
      },
      { group: true, livesMsMax: STEP_MS_MAX },
    );
    afterTests(started.kill);
    return started;
  };
  return { clone, start, run: (script, more) => start(script, more).ended };
}

/** Installs this version as the registry would, and nothing else. */
function writeNpm(bin: string): void {
  const npm = path.join(bin, 'npm');
  const program = path.join(bin, 'venice-batch');
  writeFileSync(
    npm,
    [
      '#!/bin/sh',
      `test "$*" = 'install --global ${PACKAGE}' || { echo "npm $*: not what is published" >&2; exit 1; }`,
      `printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' '${process.execPath}' '${CLI}' > '${program}'`,
      `chmod +x '${program}'`,
      '',
    ].join('\n'),
  );
  chmodSync(npm, 0o755);
}

/** In its own folder: the server is in this process, which waits for git. */
function cloneOf(server: GitServer, to: string): void {
  git(['-C', server.folder, 'symbolic-ref', 'HEAD', 'refs/heads/main']);
  git(['clone', '--quiet', server.folder, to]);
}

/** Puts files into the repository, on main. */
export function pushFiles(
  server: GitServer,
  files: Readonly<Record<string, string>>,
  message = 'Files',
): void {
  const clone = path.join(folder(), 'clone');
  cloneOf(server, clone);
  const at = (...words: string[]) =>
    git(['-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words]);
  at('checkout', '--quiet', '-B', 'main');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(clone, name)), { recursive: true });
    writeFileSync(path.join(clone, name), text);
    if (text.startsWith('#!')) chmodSync(path.join(clone, name), 0o755);
  }
  at('add', '--all');
  at('commit', '--quiet', '-m', message);
  at('push', '--quiet', 'origin', 'main');
}

/** A file of the repository's main branch; `undefined` if there is none. */
export function fileOnMain({ folder: repository }: GitServer, name: string): string | undefined {
  try {
    return git(['-C', repository, 'show', `main:${name}`]);
  } catch {
    return undefined;
  }
}

export function example(name: string): string {
  const file = path.join(EXAMPLES, name);
  if (!existsSync(file)) throw new Error(`no example ${name}`);
  return readFileSync(file, 'utf8');
}
