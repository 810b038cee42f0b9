import type { Command } from 'commander';
import { BatchError, EXIT, type ExitCode } from '../errors.js';

/** A completion script, made from the command tree itself so that it cannot fall behind. */
export async function completionCommand(program: Command, shell: string): Promise<ExitCode> {
  const write = WRITERS[shell];
  if (write === undefined)
    throw new BatchError('usage', `no completion for ${shell}`, {
      exitCode: EXIT.usage,
      hint: 'one of: venice-batch completion bash | zsh | fish',
    });
  process.stdout.write(write(branches(program)));
  return EXIT.ok;
}

interface Branch {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly {
    readonly name: string;
    readonly description: string;
    readonly takesValue: boolean;
    readonly choices: readonly string[];
  }[];
  readonly takesFile: boolean;
}

function branches(program: Command): readonly Branch[] {
  return program.commands
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      takesFile:
        command.registeredArguments.some((argument) => argument.name() === 'manifest') ||
        command.commands.length > 0,
      flags: [...command.options, ...command.commands.flatMap(({ options }) => options)].map((option) => ({
        name: option.long ?? '',
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
    }));
}

const WRITERS: Readonly<Record<string, (tree: readonly Branch[]) => string>> = { bash, zsh, fish };

function bash(tree: readonly Branch[]): string {
  const cases = tree.map(
    ({ name, flags }) => `    ${name}) words="${flags.map((flag) => flag.name).join(' ')}" ;;`,
  );
  return `# bash completion for venice-batch: source <(venice-batch completion bash)
_venice_batch() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${tree.map(({ name }) => name).join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -X '!*.@(yaml|yml)' -- "$current") $(compgen -d -- "$current"))
  fi
}
complete -F _venice_batch venice-batch
`;
}

function zsh(tree: readonly Branch[]): string {
  const quote = (text: string) =>
    text.replaceAll("'", "'\\''").replaceAll('[', '\\[').replaceAll(']', '\\]').replaceAll(':', '\\:');
  const commands = tree.map(({ name, description }) => `    '${name}:${quote(description)}'`);
  const cases = tree.map(({ name, flags, takesFile }) => {
    const words = flags.map(
      ({ name: flag, description, takesValue, choices }) =>
        `'${flag}[${quote(description)}]${takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : ''}'`,
    );
    return `    ${name}) _arguments ${[...words, ...(takesFile ? ['\'*:manifest:_files -g "*.(yaml|yml)"\''] : [])].join(' ')} ;;`;
  });
  return `#compdef venice-batch
# zsh completion for venice-batch: source <(venice-batch completion zsh)
_venice_batch() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _venice_batch venice-batch
`;
}

function fish(tree: readonly Branch[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = tree.flatMap(({ name, description, flags }) => [
    `complete -c venice-batch -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`,
    ...flags.map(({ name: flag, description: what, takesValue, choices }) => {
      const value = takesValue ? (choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -r') : '';
      return `complete -c venice-batch -n '__fish_seen_subcommand_from ${name}' -l ${flag.replace(/^--/, '')}${value} -d ${quote(what)}`;
    }),
  ]);
  return `# fish completion for venice-batch: venice-batch completion fish | source\n${lines.join('\n')}\n`;
}
