import { closest } from '../core/closest.js';
import { bytesOf, safeSegment, UNSAFE_IN_NAME } from '../core/file-name.js';

/** What `output` may contain in braces besides `{ext}`. */
const TOKENS = ['index', 'id', 'title', 'take', 'model'] as const;
export type Token = (typeof TOKENS)[number];

/** Where audio goes if the manifest does not say. */
export const OUTPUT_DEFAULT = 'out/{index}-{id}.{ext}';

/**
 * UTF-8 bytes of a name without its extension. File systems allow 255, and superseded and partial files get longer
 * names.
 */
const SEGMENT_BYTES_MAX = 200;
const STEM_BYTES_MAX = 1000;
const AUDIO_EXTENSION = /\.(mp3|wav|flac|ogg|m4a|aac|opus|webm|aiff)$/i;

/** A parsed template: text and tokens, without the `.{ext}` at the end. */
export type Template = readonly (string | { readonly token: Token })[];

/** A problem in a template, with its position (`at`, `length`). */
export interface TemplateFault {
  readonly code: 'output-token' | 'output-ext' | 'output-brace' | 'output-leaves-folder' | 'output-name';
  readonly message: string;
  readonly hint: string;
  readonly at: number;
  readonly length: number;
}

export type ParsedTemplate =
  | { readonly template: Template; readonly faults?: never }
  | { readonly template?: never; readonly faults: readonly TemplateFault[] };

/** Parses a template. Reports all its problems at once. */
export function parseTemplate(text: string): ParsedTemplate {
  const faults: TemplateFault[] = [];
  const template: (string | { token: Token })[] = [];
  const body = /\.\{ext\}$/.test(text) ? text.slice(0, -'.{ext}'.length) : text;
  if (!text.includes('{ext}')) faults.push(noExtension(text));
  for (const match of body.matchAll(/\{([^{}]*)\}|[{}]|[^{}]+/g)) {
    const [piece, name] = match;
    const token = TOKENS.find((one) => one === name);
    if (token) template.push({ token });
    else if (name !== undefined) faults.push(unknownToken(name, match.index));
    else if (piece === '{' || piece === '}') faults.push(loneBrace(match.index));
    else template.push(piece);
  }
  faults.push(...pathFaults(body));
  return faults.length > 0 ? { faults: withoutEchoes(faults) } : { template };
}

function noExtension(text: string): TemplateFault {
  const written = /\.([A-Za-z0-9]{2,4})$/.exec(text);
  return {
    code: 'output-ext',
    message: '`output` must end in `.{ext}`',
    hint: written
      ? `write .{ext} in place of .${written[1]}: the service decides on the format`
      : 'add .{ext} at the end: the service decides on the format',
    at: written?.index ?? 0,
    length: written?.[0].length ?? text.length,
  };
}

function unknownToken(name: string, at: number): TemplateFault {
  if (name === 'ext')
    return {
      code: 'output-ext',
      message: '`{ext}` must be at the end of `output`, after a dot, and nowhere else',
      hint: 'write for example {index}-{id}.{ext}',
      at,
      length: 5,
    };
  const meant = closest(name, [...TOKENS, 'ext']);
  return {
    code: 'output-token',
    message: `\`{${name}}\` is not a token of \`output\``,
    hint: meant
      ? `did you mean {${meant}}?`
      : `there are ${TOKENS.map((token) => `{${token}}`).join(' ')} {ext}`,
    at,
    length: name.length + 2,
  };
}

function loneBrace(at: number): TemplateFault {
  return {
    code: 'output-brace',
    message: 'unbalanced braces in `output`',
    hint: 'write tokens as {id}',
    at,
    length: 1,
  };
}

function pathFaults(body: string): TemplateFault[] {
  const leaves = (at: number, length: number, message: string): TemplateFault => ({
    code: 'output-leaves-folder',
    message,
    hint: "give a path below the manifest's folder; use --out-dir to store everything elsewhere",
    at,
    length,
  });
  const absolute = /^(\/|~(?=\/|$)|[A-Za-z]:|\\\\)/.exec(body);
  if (absolute) return [leaves(0, absolute[0].length, '`output` leads outside the manifest folder')];
  const faults: TemplateFault[] = [];
  const up = /(?<=^|[/\\])\.\.[. ]*(?=[/\\]|$)/.exec(body);
  if (up) faults.push(leaves(up.index, up[0].length, '`..` in `output` leads outside the manifest folder'));
  const unsafe = UNSAFE_IN_NAME.exec(body.replaceAll('/', ' '));
  if (unsafe) {
    const message =
      unsafe[0] === '\\'
        ? 'a backslash in `output`'
        : `${JSON.stringify(unsafe[0])} cannot be part of a file name`;
    const hint = unsafe[0] === '\\' ? 'separate folders with /' : 'leave it out, or write - in its place';
    faults.push({ code: 'output-name', message, hint, at: unsafe.index, length: unsafe[0].length });
  }
  if (/(^|\/)[. ]*$/.test(body) && !up)
    faults.push({
      code: 'output-name',
      message: '`output` has no name before `.{ext}`',
      hint: 'write for example {index}-{id}.{ext}',
      at: 0,
      length: body.length,
    });
  return faults;
}

/** Several faults at one place have one cause. */
function withoutEchoes(faults: readonly TemplateFault[]): TemplateFault[] {
  const sorted = [...faults].sort((a, b) => a.at - b.at);
  return sorted.filter((fault, index) => index === 0 || fault.at !== sorted[index - 1]!.at);
}

/** Values for the tokens. All but `index` and `take` have to be file-safe already. */
export type TokenValues = Readonly<Record<Exclude<Token, 'take'>, string>> & { readonly take: number };

export type Stem =
  | { readonly stem: string; readonly problem?: never }
  | { readonly stem?: never; readonly problem: string };

/** The path that a template gives, without its extension. It is always relative and never leaves the folder. */
export function renderStem(template: Template, values: TokenValues): Stem {
  const namesTake = template.some((piece) => typeof piece !== 'string' && piece.token === 'take');
  const path = template
    .map((piece) => (typeof piece === 'string' ? piece : String(values[piece.token])))
    .join('');
  const full = (values.take > 1 && !namesTake ? `${path}-${values.take}` : path).normalize('NFC');
  const segments = full.split('/').map(safeSegment).filter(Boolean);
  const long = segments.find((segment) => bytesOf(segment) > SEGMENT_BYTES_MAX);
  if (long !== undefined)
    return { problem: `a name of ${bytesOf(long)} bytes, but at most ${SEGMENT_BYTES_MAX} are allowed` };
  if (bytesOf(full) > STEM_BYTES_MAX)
    return { problem: `a path of ${bytesOf(full)} bytes, but at most ${STEM_BYTES_MAX} are allowed` };
  const folder = segments.slice(0, -1).find((segment) => AUDIO_EXTENSION.test(segment));
  if (folder !== undefined)
    return { problem: `a folder named like an audio file, ${JSON.stringify(folder)}` };
  return { stem: segments.join('/') };
}
