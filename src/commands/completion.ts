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
    /** Its value is the path of a file or folder. */
    readonly takesPath: boolean;
    readonly choices: readonly string[];
  }[];
  /** What the first word after it may be: sub-commands, shells. */
  readonly words: readonly string[];
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
      words:
        command.name() === 'completion' ? Object.keys(WRITERS) : command.commands.map((sub) => sub.name()),
      flags: [...command.options, ...command.commands.flatMap(({ options }) => options)].map((option) => ({
        name: option.long ?? '',
        description: option.description,
        takesValue: option.required || option.optional,
        takesPath: /<(path|file)>/.test(option.flags),
        choices: option.argChoices ?? [],
      })),
    }));
}

const WRITERS: Readonly<Record<string, (tree: readonly Branch[]) => string>> = { bash, zsh, fish };

/** For bash 3.2 and later, and without extended globs, which a plain shell has not switched on. */
function bash(tree: readonly Branch[]): string {
  const cases = tree.map(({ name, flags, words, takesFile }) => {
    const names = flags.map((flag) => flag.name).join(' ');
    return `    ${name}) flags="${names}" words="${words.join(' ')}" manifest=${takesFile ? 'yes' : 'no'} ;;`;
  });
  return `# bash completion for venice-batch: source <(venice-batch completion bash)
_venice_batch_files() {
  local name
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    if [ "$2" = any ] || [ -d "\${name/#\\~/$HOME}" ]; then
      COMPREPLY+=("$name")
    else
      case "$name" in *.yaml|*.yml) COMPREPLY+=("$name") ;; esac
    fi
  done < <(compgen -f -- "$1")
}
_venice_batch() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local flags="" words="" manifest=no
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${tree.map(({ name }) => name).join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[1]} $previous" in
${bashValues(tree).join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [ "$manifest" = yes ]; then
    _venice_batch_files "$current" manifest
  fi
}
complete -F _venice_batch venice-batch
`;
}

/** What may follow a flag that takes a value; flags with the same answer share a line. */
function bashValues(tree: readonly Branch[]): readonly string[] {
  const flagsOf = new Map<string, string[]>();
  for (const { name, flags } of tree)
    for (const { name: flag, takesValue, takesPath, choices } of flags) {
      if (!takesValue) continue;
      const listed = `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current")); `;
      const files = takesPath ? '_venice_batch_files "$current" any; ' : '';
      const answer = `${choices.length > 0 ? listed : files}return`;
      flagsOf.set(answer, [...(flagsOf.get(answer) ?? []), `"${name} ${flag}"`]);
    }
  return [...flagsOf].map(([answer, flags]) => `    ${flags.join('|')}) ${answer} ;;`);
}

function zsh(tree: readonly Branch[]): string {
  const quote = (text: string) =>
    text.replaceAll("'", "'\\''").replaceAll('[', '\\[').replaceAll(']', '\\]').replaceAll(':', '\\:');
  const commands = tree.map(({ name, description }) => `    '${name}:${quote(description)}'`);
  const cases = tree.map(({ name, flags, words: first, takesFile }) => {
    const words = flags.map(
      ({ name: flag, description, takesValue, choices }) =>
        `'${flag}[${quote(description)}]${takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : ''}'`,
    );
    if (first.length > 0) words.push(`'1:word:(${first.join(' ')})'`);
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
  const lines = tree.flatMap(({ name, description, flags, words }) => [
    `complete -c venice-batch -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`,
    ...(words.length > 0
      ? [`complete -c venice-batch -n '__fish_seen_subcommand_from ${name}' -f -a ${quote(words.join(' '))}`]
      : []),
    ...flags.map(({ name: flag, description: what, takesValue, choices }) => {
      const value = takesValue ? (choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -r') : '';
      return `complete -c venice-batch -n '__fish_seen_subcommand_from ${name}' -l ${flag.replace(/^--/, '')}${value} -d ${quote(what)}`;
    }),
  ]);
  return `# fish completion for venice-batch: venice-batch completion fish | source\n${lines.join('\n')}\n`;
}
