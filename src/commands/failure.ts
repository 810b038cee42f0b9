import path from 'node:path';
import { versionEvent } from '../app/emit.js';
import type { ExitCode } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { createRedactor } from '../core/redact.js';
import { shownBaseUrl } from '../node/base-url.js';
import { createClock } from '../node/clock.js';
import { systemFiles } from '../node/files.js';
import { programVersion } from '../node/version.js';
import { asBatchError, reportError } from '../report/error.js';
import { jsonText } from '../report/json-text.js';
import { renderJunit } from '../report/junit.js';
import { colorWanted, redactedTerminal, streamTerminal } from '../report/terminal.js';
import { nextCommandLine } from './command-line.js';
import { secretsIn, secretsInEnvText } from './environment.js';
import { JUNIT } from './output-files.js';
import { diagnosticOf, endedEarly, redactError, refusalJson, refusalOutcome } from './refusal.js';
import { writeReport } from './reports.js';
import { DEFAULT_BASE_URL } from './settings.js';

const ENV_FILE_BYTES_MAX = 1024 * 1024;

/**
 * Tells what ended a command, on stderr and, where one was asked for, as the document of `--json` or as events. Goes by the
 * command line as it was typed: it may be the very thing that could not be understood.
 */
export async function tellFailure(error: unknown, argv: readonly string[]): Promise<ExitCode> {
  const manifest = argv.find((word) => /^[^-].*\.ya?ml$/i.test(word));
  const redact = createRedactor(await secretsOf(argv));
  const { stdout, stderr } = terminals(argv, redact);
  const unknown = asBatchError(error, manifest === undefined ? undefined : statusOf(manifest, argv));
  const failure = redactError(unknown, redact);
  const nowMs = createClock().nowMs();
  const [json, events] = [argv.includes('--json'), flagValue('--events', argv) === 'ndjson'];
  // Who asks for both reads neither: stdout can be one of them only.
  if (events && !json) {
    const ended = endedEarly([diagnosticOf(failure)], failure.exitCode, nowMs);
    for (const event of [firstEvent(argv, nowMs), ...ended]) stdout.write(`${jsonText(event)}\n`);
  } else if (json && !events) {
    const root = manifest === undefined ? process.cwd() : path.dirname(path.resolve(manifest));
    stdout.write(refusalJson([diagnosticOf(failure)], failure.exitCode, nowMs, root));
  }
  reportError(failure, stderr);
  const junit = flagValue('--junit', argv);
  if (junit !== undefined && failure.code !== 'output-file') {
    const text = renderJunit(refusalOutcome([diagnosticOf(failure)], failure.exitCode, nowMs));
    await writeReport({ redact, stderr, files: systemFiles }, junit, text, JUNIT);
  }
  return failure.exitCode;
}

function terminals(argv: readonly string[], redact: (text: string) => string) {
  const color = colorWanted(process.env, colorFlag(argv), process.stderr.isTTY === true);
  const terminal = (stream: NodeJS.WriteStream) =>
    redactedTerminal(streamTerminal(stream, color, process.env), redact);
  return { stdout: terminal(process.stdout), stderr: terminal(process.stderr) };
}

/** The keys, wherever the command may have found them. */
async function secretsOf(argv: readonly string[]): Promise<readonly string[]> {
  const envFile = flagValue('--env-file', argv);
  const filed = envFile === undefined ? [] : await secretsInFile(path.resolve(envFile));
  return [...secretsIn(process.env), ...filed];
}

async function secretsInFile(file: string): Promise<readonly string[]> {
  try {
    if ((await systemFiles.facts(file))?.kind !== 'file') return [];
    const bytes = await systemFiles.read(file, ENV_FILE_BYTES_MAX);
    return secretsInEnvText(new TextDecoder().decode(bytes));
  } catch {
    // Then no command has read a key there either.
    return [];
  }
}

function firstEvent(argv: readonly string[], nowMs: number): RunEvent {
  const sandbox = argv.includes('--sandbox');
  const asked = flagValue('--base-url', argv) ?? process.env.VENICE_BASE_URL ?? DEFAULT_BASE_URL;
  const endpoint = sandbox ? 'sandbox:' : shownBaseUrl(asked);
  return versionEvent({ version: programVersion(), endpoint, sandbox }, nowMs);
}

function statusOf(manifest: string, argv: readonly string[]): string {
  const lockfile = flagValue('--lockfile', argv);
  const flags = { sandbox: argv.includes('--sandbox'), ...(lockfile === undefined ? {} : { lockfile }) };
  return nextCommandLine('status', { manifest, flags });
}

function colorFlag(argv: readonly string[]): 'auto' | 'always' | 'never' {
  const said = flagValue('--color', argv);
  return said === 'always' || said === 'never' ? said : 'auto';
}

function flagValue(flag: string, argv: readonly string[]): string | undefined {
  const joined = argv.find((word) => word.startsWith(`${flag}=`));
  if (joined !== undefined) return joined.slice(flag.length + 1);
  const at = argv.indexOf(flag);
  return at === -1 ? undefined : argv[at + 1];
}
