import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/commands/program.js';

describe('the flags', () => {
  it('are read under the names that commander gives them', () => {
    const source = readFileSync(new URL('../../src/session/settings.ts', import.meta.url), 'utf8');
    const bodies = [...source.matchAll(/export interface (?:Choices|Flags extends Choices) \{\n(.*?)\n\}/gs)];
    const body = bodies.map(([, members]) => members).join('\n');
    const read = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
    const nested = createProgram(() => {}).commands.flatMap((command) => [command, ...command.commands]);
    const given = new Set(nested.flatMap(({ options }) => options.map((option) => option.attributeName())));
    // `report` has this name for `--out`, which `plan` has too.
    given.add('report');
    expect(read.length).toBeGreaterThan(20);
    expect(read.filter((name) => name !== undefined && !given.has(name))).toEqual([]);
  });
});

describe('the README', () => {
  it('has a row for every command', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
    const named = new Set(
      rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`([a-z ]+)`/g)].map(([, name]) => name)),
    );
    const commands = createProgram(() => {}).commands.flatMap((command) =>
      command.commands.length === 0
        ? command.name()
        : command.commands.map((sub) => `${command.name()} ${sub.name()}`),
    );
    expect(commands.filter((name) => !named.has(name))).toEqual([]);
  });
});
