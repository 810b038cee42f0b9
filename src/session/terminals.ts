import {
  colorWanted,
  type Environment,
  redactedTerminal,
  streamTerminal,
  type Terminal,
} from '../report/terminal.js';

/** The process's output, with secrets redacted. */
export function processTerminals(
  when: 'auto' | 'always' | 'never',
  env: Environment,
  redact: (text: string) => string,
): { readonly stdout: Terminal; readonly stderr: Terminal } {
  const terminal = (stream: NodeJS.WriteStream) =>
    redactedTerminal(streamTerminal(stream, colorWanted(env, when, stream.isTTY === true), env), redact);
  return { stdout: terminal(process.stdout), stderr: terminal(process.stderr) };
}
