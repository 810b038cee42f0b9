import type { Diagnostic, Span } from '../core/diagnostic.js';
import { fileSafe, foldName } from '../core/file-name.js';
import { takeKey } from '../core/take-key.js';
import type { Range, Source } from './located.js';
import { type MergedTrack, placed, type Sourced } from './merge-defaults.js';
import { OUTPUT_DEFAULT, parseTemplate, renderStem, type Template, type TemplateFault } from './template.js';

export interface Namer {
  /**
   * The take's stem, or what is wrong with its template or name. Empty if the template uses a field that is itself
   * wrong. An error in a template is reported for each track that uses it.
   */
  name(track: MergedTrack, take: number, model: string): string | readonly Diagnostic[];
}

/**
 * Gives each take its path. Remembers the paths given, because no two may be equal, even when letter case and Unicode
 * composition are ignored.
 *
 * @param tracks all of them: their number determines the width of `{index}`
 */
export function createNamer(source: Source, tracks: readonly MergedTrack[]): Namer {
  const templates = new Map<string, ReturnType<typeof parseTemplate>>();
  const taken = new Map<string, Taken>();
  const indexWidth = Math.max(2, String(tracks.at(-1)?.index).length);

  const parsed = (text: string) => {
    const template = templates.get(text) ?? parseTemplate(text);
    templates.set(text, template);
    return template;
  };

  return {
    name(track, take, model) {
      const { output } = track.fields;
      if (track.isUnknown('output')) return [];
      const { template, faults } = parsed(output?.value ?? OUTPUT_DEFAULT);
      if (faults) return faults.map((fault) => templateProblem(fault, output!, source));
      const parts = partsOf(template, track);
      if (HIDEABLE.some((part) => parts.has(part) && track.isUnknown(part))) return [];
      if (parts.has('model') && model === '') return [];
      const { stem, problem } = renderStem(template, valuesOf(track, take, model, indexWidth));
      if (problem !== undefined) return [nameProblem(track, problem)];
      const mine = { key: keyOf(track, take), span: track.span, id: track.id };
      const folded = foldName(stem);
      const other = taken.get(folded);
      if (other === undefined) taken.set(folded, mine);
      else if (other.id !== mine.id || !parts.has('id')) return [collision(mine, other, stem)];
      // Duplicate ids were already reported.
      else return [];
      return stem;
    },
  };
}

/** The take that uses a stem. */
interface Taken {
  readonly key: string;
  readonly id: string | undefined;
  readonly span: Span;
}

function keyOf({ id, index }: MergedTrack, take: number): string {
  return takeKey({ track: id ?? `track ${index}`, take });
}

const HIDEABLE = ['id', 'title'] as const;

/** The fields that a stem is made from. The id replaces a missing title. */
function partsOf(template: Template, { fields }: MergedTrack): ReadonlySet<string> {
  const tokens = template.map((piece) => (typeof piece === 'string' ? '' : piece.token));
  return new Set(tokens.flatMap((token) => (token === 'title' && !fields.title ? [token, 'id'] : [token])));
}

function valuesOf(track: MergedTrack, take: number, model: string, indexWidth: number) {
  const { id = '' } = track;
  return {
    index: String(track.index).padStart(indexWidth, '0'),
    id,
    title: fileSafe(track.fields.title?.value ?? id, id),
    model: fileSafe(model, 'model'),
    take,
  };
}

export function templateProblem(
  fault: TemplateFault,
  output: Pick<Sourced<string>, 'value' | 'range'>,
  source: Source,
): Diagnostic {
  const { code, message, hint } = fault;
  return {
    code,
    severity: 'error',
    message,
    hint,
    span: source.spanOf(within(output, fault, source)),
  };
}

/** The place of a part of the text, if the source has the text unchanged (not folded, not escaped). */
function within(
  { value, range }: Pick<Sourced<string>, 'value' | 'range'>,
  { at, length }: TemplateFault,
  source: Source,
): Range {
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
    message: `\`output\` gives ${track.name} ${problem}`,
    hint: 'shorten or change `output`',
    ...(output ? placed(output) : { span: track.span }),
  };
}

function collision({ key, span }: Taken, other: Taken, stem: string): Diagnostic {
  return {
    code: 'output-collision',
    severity: 'error',
    message: `\`${other.key}\` and \`${key}\` would both be written to \`${stem}\``,
    hint: 'put {id} or {index} into `output`',
    span,
    related: [{ message: `\`${other.key}\` is written there first`, span: other.span }],
  };
}
