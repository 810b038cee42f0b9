import type { Command, Option } from 'commander';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';

/** Prints a completion script, generated from the command tree so that it is never outdated. */
export async function completionCommand(program: Command, shell: string): Promise<ExitCode> {
  const write = WRITERS[shell];
  if (write === undefined)
    throw usageError(`no completion for ${shell}`, 'use venice-batch completion bash, zsh or fish');
  process.stdout.write(write(branches(program)));
  return EXIT.ok;
}

interface Branch {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly BranchFlag[];
  /** Possible first words after the command: subcommands, shells. */
  readonly words: readonly string[];
  readonly takesFile: boolean;
}

interface BranchFlag {
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Its value is the path of a file or folder. */
  readonly takesPath: boolean;
  readonly repeatable: boolean;
  readonly choices: readonly string[];
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
      flags: optionsOf(command).map((option) => ({
        name: option.long ?? '',
        description: option.description,
        takesValue: option.required || option.optional,
        takesPath: /<(path|file)>/.test(option.flags),
        repeatable: option.parseArg !== undefined && option.argChoices === undefined,
        choices: option.argChoices ?? [],
      })),
    }));
}

const WRITERS: Readonly<Record<string, (tree: readonly Branch[]) => string>> = { bash, zsh, fish };

/** Its own options and those of its subcommands, without duplicate names. */
function optionsOf(command: Command): readonly Option[] {
  const all = [...command.options, ...command.commands.flatMap(({ options }) => options)];
  return all.filter((option, at) => all.findIndex(({ long }) => long === option.long) === at);
}

/** For bash 3.2 and later. Without extended globs, which are off by default. */
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

/** Possible values of a flag. Flags with the same values share a line. */
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
  const commands = tree.map(({ name, description }) => `    '${name}:${zshText(description)}'`);
  const cases = tree.map(({ name, flags, words, takesFile }) => {
    const specs = [
      ...flags.map(zshFlag),
      ...(words.length > 0 ? [`'1:word:(${words.join(' ')})'`] : []),
      ...(takesFile ? ['\'*:manifest:_files -g "*.(yaml|yml)"\''] : []),
    ];
    return `    ${name}) _arguments ${specs.join(' ')} ;;`;
  });
  return `#compdef venice-batch
# zsh completion for venice-batch, after compinit: source <(venice-batch completion zsh)
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
# As a file of $fpath it is called for its first completion; sourced it is only made known.
if [[ $funcstack[1] == _venice[-_]batch ]]; then
  _venice_batch "$@"
else
  compdef _venice_batch venice-batch
fi
`;
}

function zshFlag({ name, description, takesValue, takesPath, repeatable, choices }: BranchFlag): string {
  const values = choices.length > 0 ? `(${choices.join(' ')})` : takesPath ? '_files' : ' ';
  const value = takesValue ? `:value:${values}` : '';
  return `'${repeatable ? '*' : ''}${name}[${zshText(description)}]${value}'`;
}

function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll('[', '\\[').replaceAll(']', '\\]').replaceAll(':', '\\:');
}

function fish(tree: readonly Branch[]): string {
  const lines = tree.flatMap(({ name, description, flags, words, takesFile }) => {
    const of = `complete -c venice-batch -n '__fish_seen_subcommand_from ${name}`;
    const first = words.length > 0 ? `; and not __fish_seen_subcommand_from ${words.join(' ')}` : '';
    return [
      `complete -c venice-batch -n __fish_use_subcommand -a ${name} -d ${fishText(description)}`,
      ...(words.length > 0 ? [`${of}${first}' -a ${fishText(words.join(' '))}`] : []),
      ...(takesFile
        ? [
            `${of}${words.length > 0 ? `; and __fish_seen_subcommand_from ${words.join(' ')}` : ''}' -a '(__venice_batch_manifests)'`,
          ]
        : []),
      ...flags.map((flag) => `${of}' ${fishFlag(flag)}`),
    ];
  });
  return `# fish completion for venice-batch: venice-batch completion fish | source
function __venice_batch_manifests
  __fish_complete_path (commandline -ct) | string match -r '^[^\\t]*(?:[.]ya?ml|/)(?:\\t.*)?$'
end
complete -c venice-batch -f
${lines.join('\n')}
`;
}

function fishFlag({ name, description, takesValue, takesPath, choices }: BranchFlag): string {
  const values = choices.length > 0 ? ` -x -a ${fishText(choices.join(' '))}` : takesPath ? ' -r -F' : ' -x';
  return `-l ${name.replace(/^--/, '')}${takesValue ? values : ''} -d ${fishText(description)}`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
