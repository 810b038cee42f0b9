import { type AudioRequest, fieldsOfKind } from '../core/audio-request.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { type MergedTrack, placed, type Sourced } from './merge-defaults.js';
import { unprintableIn } from './unprintable.js';

/** Rules that neither the schema nor a model covers. `request` is the final request of the track. */
export function checkTrack(track: MergedTrack, request: AudioRequest): readonly Diagnostic[] {
  const { fields } = track;
  const lyrics = fields.lyrics_file ?? fields.lyrics_prompt;
  const sings = lyrics !== undefined && request.lyrics_prompt !== undefined;
  return [
    ...required('model', track, request),
    ...required('prompt', track, request),
    ...unprintable(track),
    ...(sings && request.lyrics_optimizer ? [optimizerWithLyrics(track, lyrics)] : []),
    ...(sings && request.force_instrumental ? [instrumentalWithLyrics(track, lyrics)] : []),
    ...(request.lyrics_optimizer && request.force_instrumental ? [instrumentalWithOptimizer(track)] : []),
  ];
}

function required(
  field: 'model' | 'prompt',
  { name, span, fields, isUnknown }: MergedTrack,
  request: AudioRequest,
): Diagnostic[] {
  if (request[field] !== '' || isUnknown(field)) return [];
  const blank = fields[field];
  if (blank)
    return [
      {
        code: 'empty-text',
        severity: 'error',
        message: `\`${field}\` is only whitespace`,
        hint: 'fill it in',
        ...placed(blank),
      },
    ];
  return [
    {
      code: 'missing-field',
      severity: 'error',
      message: `${name} has no \`${field}\``,
      hint: `set \`${field}\` in the track, or in \`defaults\` for all`,
      span,
    },
  ];
}

/** Texts that are sent to the service or used in a release. Paths have their own rules. */
const TEXTS = [
  'title',
  ...fieldsOfKind('text'),
  'release_title',
  'release_artist',
  'release_genre',
  'release_comment',
] as const;

function unprintable({ fields }: MergedTrack): Diagnostic[] {
  return TEXTS.flatMap((field) => {
    const text = fields[field];
    const bad = text && unprintableIn(text.value);
    if (!bad) return [];
    const message = `\`${field}\` has the character ${bad}, which cannot be printed`;
    return [
      { code: 'unprintable-character', severity: 'error', message, hint: 'remove it', ...placed(text) },
    ];
  });
}

/** If one of the two came from `defaults`, the track takes it back: to change the default would change other tracks. */
function removeOne({ name, fields }: MergedTrack, ...pair: readonly (keyof MergedTrack['fields'])[]): string {
  const inherited = pair.filter((field) => fields[field] !== undefined && fields[field].spans.length > 1);
  return inherited.length === 1 ? `add \`${inherited[0]}: null\` to ${name}` : 'remove one of the two';
}

function lyricsField({ fields }: MergedTrack): 'lyrics_file' | 'lyrics_prompt' {
  return fields.lyrics_file ? 'lyrics_file' : 'lyrics_prompt';
}

function optimizerWithLyrics(track: MergedTrack, lyrics: Sourced<string>): Diagnostic {
  return {
    code: 'optimizer-with-lyrics',
    severity: 'error',
    message: '`lyrics_optimizer` writes the lyrics itself, but the track already has lyrics',
    hint: removeOne(track, 'lyrics_optimizer', lyricsField(track)),
    ...placed(track.fields.lyrics_optimizer!, { message: 'the lyrics', span: lyrics.spans[0] }),
  };
}

function instrumentalWithLyrics(track: MergedTrack, lyrics: Sourced<string>): Diagnostic {
  return {
    code: 'instrumental-with-lyrics',
    severity: 'warning',
    message: '`force_instrumental` excludes singing, but the track has lyrics',
    hint: removeOne(track, 'force_instrumental', lyricsField(track)),
    ...placed(track.fields.force_instrumental!, { message: 'the lyrics', span: lyrics.spans[0] }),
  };
}

function instrumentalWithOptimizer(track: MergedTrack): Diagnostic {
  const { force_instrumental: instrumental, lyrics_optimizer: optimizer } = track.fields;
  return {
    code: 'instrumental-with-lyrics',
    severity: 'warning',
    message: '`force_instrumental` excludes singing, but `lyrics_optimizer` writes lyrics',
    hint: removeOne(track, 'force_instrumental', 'lyrics_optimizer'),
    ...placed(instrumental!, { message: 'the other', span: optimizer!.spans[0] }),
  };
}
