/**
 * The fields of `POST /audio/queue`, in the order in which people read them. This is their only list: the request's
 * type, its digest, the parts in the lockfile, the request body and the reasons for a change are derived from it.
 *
 * - `text`: text that is not empty
 * - `seconds`: whole seconds, at least 1; the manifest may also write them as text
 * - `integer`, `number`
 * - `switch`: `true`, or absent
 */
export const FIELD_KINDS = {
  model: 'text',
  prompt: 'text',
  lyrics_prompt: 'text',
  duration_seconds: 'seconds',
  force_instrumental: 'switch',
  lyrics_optimizer: 'switch',
  loop: 'switch',
  voice: 'text',
  language_code: 'text',
  speed: 'number',
} as const satisfies Record<string, FieldKind>;

export type RequestField = keyof typeof FIELD_KINDS;

interface Values {
  readonly text: string;
  readonly seconds: number;
  readonly integer: number;
  readonly number: number;
  readonly switch: true;
}

export type FieldKind = keyof Values;

type ValueOf<Field extends RequestField> = Values[(typeof FIELD_KINDS)[Field]];

type Required = 'model' | 'prompt';

/**
 * What `/audio/queue` gets, under the API's own names and normalised: a field without effect (`false`, an empty text)
 * is absent, `"45"` is `45`, lines end in LF. The digest is computed from exactly this.
 */
export type AudioRequest = { readonly [Field in Required]: ValueOf<Field> } & {
  readonly [Field in Exclude<RequestField, Required>]?: ValueOf<Field>;
};

export const REQUEST_FIELDS = Object.keys(FIELD_KINDS) as readonly RequestField[];

export function fieldsOfKind<Kind extends FieldKind>(kind: Kind): readonly FieldOfKind<Kind>[] {
  return REQUEST_FIELDS.filter((field) => FIELD_KINDS[field] === kind) as FieldOfKind<Kind>[];
}

type FieldOfKind<Kind extends FieldKind> = {
  [Field in RequestField]: (typeof FIELD_KINDS)[Field] extends Kind ? Field : never;
}[RequestField];
