import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExitCode } from '../errors.js';
import type { RunEvent } from '../events.js';
import { createClock } from '../node/clock.js';
import { programVersion } from '../node/version.js';
import { asBatchError, reportError } from '../report/error.js';
import { jsonText } from '../report/json-text.js';
import { renderJunit } from '../report/junit.js';
import { colorWanted, streamTerminal } from '../report/terminal.js';
import { nextCommandLine } from './command-line.js';
import { diagnosticOf, endedEarly, refusalJson, refusalOutcome } from './refusal.js';
import { DEFAULT_BASE_URL } from './settings.js';
import { versionEvent } from './telling.js';

/**
 * Tells what ended a command, on stderr and, where one was asked for, as the document of `--json` or as events. Goes by the
 * command line as it was typed: it may be the very thing that could not be understood.
 */
export function tellFailure(error: unknown, argv: readonly string[]): ExitCode {
  const manifest = argv.find((word) => /^[^-].*\.ya?ml$/i.test(word));
  const failure = asBatchError(error, manifest === undefined ? undefined : statusOf(manifest, argv));
  const nowMs = createClock().nowMs();
  const [json, events] = [argv.includes('--json'), flagValue('--events', argv) === 'ndjson'];
  // Who asks for both reads neither: stdout can be one of them only.
  if (events && !json) {
    const ended = endedEarly([diagnosticOf(failure)], failure.exitCode, nowMs);
    for (const event of [firstEvent(argv, nowMs), ...ended]) process.stdout.write(`${jsonText(event)}\n`);
  } else if (json && !events) {
    const root = manifest === undefined ? process.cwd() : path.dirname(path.resolve(manifest));
    process.stdout.write(refusalJson([diagnosticOf(failure)], failure.exitCode, nowMs, root));
  }
  const color = colorWanted(process.env, colorFlag(argv), process.stderr.isTTY === true);
  reportError(failure, streamTerminal(process.stderr, color, process.env));
  const junit = flagValue('--junit', argv);
  if (junit !== undefined)
    writeJunit(junit, renderJunit(refusalOutcome([diagnosticOf(failure)], failure.exitCode, nowMs)));
  return failure.exitCode;
}

function writeJunit(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    process.stderr.write(
      `warning: ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

function firstEvent(argv: readonly string[], nowMs: number): RunEvent {
  const sandbox = argv.includes('--sandbox');
  const asked = flagValue('--base-url', argv) ?? process.env.VENICE_BASE_URL ?? DEFAULT_BASE_URL;
  return versionEvent({ version: programVersion(), endpoint: sandbox ? 'sandbox:' : asked, sandbox }, nowMs);
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
