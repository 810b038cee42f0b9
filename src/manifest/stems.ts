import type { Diagnostic, Span } from '../diagnostic.js';
import { fileSafe, foldName } from './file-name.js';
import type { Range, Source } from './located.js';
import { type MergedTrack, placed, type Sourced } from './merge.js';
import { OUTPUT_DEFAULT, parseTemplate, renderStem, type TemplateFault } from './template.js';

export interface Namer {
  /** The take's stem, or what is wrong with its template or its name. A fault of a template is told for each track that uses it. */
  name(track: MergedTrack, take: number, model: string): string | readonly Diagnostic[];
}

/**
 * Gives each take its place. Remembers the places given, as no two may be the same, also where letter
 * case or the composition of accents count nothing.
 *
 * @param trackCount decides how wide `{index}` is
 */
export function createNamer(source: Source, trackCount: number): Namer {
  const templates = new Map<string, ReturnType<typeof parseTemplate>>();
  const taken = new Map<string, { key: string; span: Span }>();
  const indexWidth = Math.max(2, String(trackCount).length);

  const parsed = (text: string) => {
    const template = templates.get(text) ?? parseTemplate(text);
    templates.set(text, template);
    return template;
  };

  return {
    name(track, take, model) {
      const { output } = track.fields;
      const { template, faults } = parsed(output?.value ?? OUTPUT_DEFAULT);
      if (faults) return faults.map((fault) => templateProblem(fault, output!, source));
      const { stem, problem } = renderStem(template, valuesOf(track, take, model, indexWidth));
      if (problem !== undefined) return [nameProblem(track, problem)];
      const key = take === 1 ? track.id : `${track.id}#${take}`;
      const folded = foldName(stem);
      const other = taken.get(folded);
      if (other) return [collision(key, track.span, other, stem)];
      taken.set(folded, { key, span: track.span });
      return stem;
    },
  };
}

function valuesOf(track: MergedTrack, take: number, model: string, indexWidth: number) {
  return {
    index: String(track.index).padStart(indexWidth, '0'),
    id: track.id,
    title: fileSafe(track.fields.title?.value ?? track.id, track.id),
    model: fileSafe(model, 'model'),
    take,
  };
}

function templateProblem(fault: TemplateFault, output: Sourced<string>, source: Source): Diagnostic {
  const { code, message, hint } = fault;
  return {
    code,
    severity: 'error',
    message,
    hint,
    span: source.spanOf(within(output, fault, source)),
  };
}

/** The place of a part of the text, where the text stands in the source as it is (not folded, not escaped). */
function within({ value, range }: Sourced<string>, { at, length }: TemplateFault, source: Source): Range {
  const offset = source.text.slice(range.start, range.end).indexOf(value);
  if (offset === -1 || length === 0) return range;
  const start = range.start + offset + at;
  return { start, end: start + length };
}

function nameProblem(track: MergedTrack, problem: string): Diagnostic {
  const { output } = track.fields;
  return {
    code: 'output-name',
    severity: 'error',
    message: `\`output\` gives track \`${track.id}\` ${problem}`,
    hint: 'shorten or change `output`',
    ...(output ? placed(output) : { span: track.span }),
  };
}

function collision(key: string, span: Span, other: { key: string; span: Span }, stem: string): Diagnostic {
  return {
    code: 'output-collision',
    severity: 'error',
    message: `\`${other.key}\` and \`${key}\` would both be written to \`${stem}\``,
    hint: 'put {id} or {index} into `output`',
    span,
    related: [{ message: `\`${other.key}\` is written there first`, span: other.span }],
  };
}
