import type { AudioRequest, RequestField } from '../core/audio-request.js';
import { closest } from '../core/closest.js';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import type { Take } from '../manifest/take.js';
import type { Catalogue, Model } from '../venice/model.js';
import type { Finding } from './rule.js';
import { isDefaultSpeed, rulesFor } from './rules.js';
import { listed, quoted } from './text.js';

/** A diagnostic of one take, to be merged with those of the others. */
export interface TakeDiagnostic extends Diagnostic {
  /** Set if the value came from `defaults`: the fix depends on which other tracks use it. */
  readonly inherited?: Inherited;
}

interface Inherited {
  readonly field: RequestField;
  readonly track: string;
  readonly trackSpan: Span;
  /** Without the track: see `Finding`. */
  readonly hint?: string | undefined;
  readonly fix: 'set' | 'unset';
}

export interface CheckedRequest {
  /** In the order of the rules. */
  readonly diagnostics: readonly TakeDiagnostic[];
  /** The request to send. Absent if there is an error. */
  readonly request?: AudioRequest;
}

/** Models and tracks named in a hint, and tracks shown beside a shared value, at most. */
const MODELS_NAMED_MAX = 20;
const TRACKS_NAMED_MAX = 8;
const RELATED_MAX = 10;

/**
 * Checks a take's request against what the live model declares. Only a declaration can prove it wrong: for an
 * undeclared capability there is a warning, and the value is sent.
 *
 * @param nowMs milliseconds since the epoch, for dates of deprecation
 */
export function checkRequest(take: Take, catalogue: Catalogue, nowMs: number): CheckedRequest {
  const { request } = take;
  const model = catalogue.get(request.model);
  if (model === undefined) return { diagnostics: [place(unknownModel(request.model, catalogue), take)] };
  const findings = rulesFor(model).map((rule) => rule({ request, model, catalogue, nowMs }));
  const diagnostics = findings
    .filter((finding) => finding !== undefined)
    .map((finding) => place(finding, take));
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics };
  return { diagnostics, request: wireRequest(request, model) };
}

/** The API refuses a field that the model does not support, even if its value has no effect. */
function wireRequest(request: AudioRequest, model: Model): AudioRequest {
  const { speed, ...rest } = request;
  const hasNoEffect = speed !== undefined && model.supports_speed !== true && isDefaultSpeed(speed, model);
  return hasNoEffect ? rest : request;
}

interface Names {
  readonly idsByName: ReadonlyMap<string, string>;
  readonly all: string;
}

const namesByCatalogue = new WeakMap<Catalogue, Names>();

/** Computed once: many takes may name a model that is not in a long list. */
function namesIn(catalogue: Catalogue): Names {
  const known = namesByCatalogue.get(catalogue);
  if (known !== undefined) return known;
  const idsByName = new Map<string, string>();
  for (const { id, name } of catalogue.values())
    if (!idsByName.has(name.toLowerCase())) idsByName.set(name.toLowerCase(), id);
  const usable = [...catalogue.values()].filter((model) => model.voice_changer !== true);
  const names = {
    idsByName,
    all: `models: ${listed(
      usable.map(({ id }) => id),
      MODELS_NAMED_MAX,
    )}`,
  };
  namesByCatalogue.set(catalogue, names);
  return names;
}

function unknownModel(id: string, catalogue: Catalogue): Finding {
  const { idsByName, all } = namesIn(catalogue);
  const meant = idsByName.get(id.trim().toLowerCase()) ?? closest(id, catalogue.keys());
  return {
    code: 'unknown-model',
    severity: 'error',
    message: `the service lists no model ${quoted(id)}`,
    hint: meant === undefined ? all : `did you mean ${quoted(meant)}? ${all}`,
    at: 'model',
    fix: 'set',
  };
}

/** At the value; if that came from `defaults`, also at the track that uses it. */
function place({ at, hint, fix, ...finding }: Finding, take: Take): TakeDiagnostic {
  const spans = at === 'track' ? [] : (take.fieldSpans[at] ?? []);
  const [, user] = spans;
  const model = at === 'track' ? take.fieldSpans.model?.[0] : undefined;
  const related = [
    ...(user === undefined ? [] : [{ message: `used by track ${take.track}`, span: user }]),
    ...(model === undefined ? [] : [{ message: 'its model', span: model }]),
  ];
  return {
    ...finding,
    hint: fix === 'unset' ? orElse(`remove \`${at}\``, hint) : hint,
    span: spans[0] ?? take.span,
    ...(related.length === 0 ? {} : { related }),
    ...(user === undefined || at === 'track' || fix === undefined
      ? {}
      : { inherited: { field: at, track: take.track, trackSpan: user, hint, fix } }),
  };
}

function orElse(fix: string, other: string | undefined): string {
  return other === undefined ? fix : `${fix}, or ${other}`;
}

interface Merged {
  readonly diagnostic: Diagnostic;
  readonly related: Map<string, { message: string; span: Span }>;
  /** By track. */
  readonly inherited: Map<string, Inherited>;
}

/**
 * Merges diagnostics that say the same about the same place (the takes of a track, the tracks that share a default)
 * into one, with the first ten related places of all of them.
 *
 * @param takes all takes of the manifest: a default that suits others is not to be changed
 */
export function mergeAlike(
  diagnostics: Iterable<TakeDiagnostic>,
  takes: Iterable<Pick<Take, 'track' | 'fieldSpans'>>,
): Diagnostic[] {
  const merged = new Map<string, Merged>();
  const faulty = new Set<string>();
  for (const { inherited, ...diagnostic } of diagnostics) {
    const { related = [], ...reported } = diagnostic;
    const key = JSON.stringify(reported);
    const known = merged.get(key) ?? { diagnostic, related: new Map(), inherited: new Map() };
    for (const place of related) {
      if (known.related.size < RELATED_MAX) known.related.set(JSON.stringify(place.span), place);
    }
    if (inherited !== undefined) {
      known.inherited.set(inherited.track, inherited);
      faulty.add(useOf(inherited.field, inherited.track));
    }
    merged.set(key, known);
  }
  const kept = faulty.size === 0 ? new Set<string>() : fieldsKept(takes, faulty);
  return [...merged.values()].map((one) => concluded(one, kept));
}

function useOf(field: string, track: string): string {
  return `${field} ${track}`;
}

/** Fields whose default is used by a track in which nothing is wrong with it. */
function fieldsKept(
  takes: Iterable<Pick<Take, 'track' | 'fieldSpans'>>,
  faulty: ReadonlySet<string>,
): ReadonlySet<string> {
  const kept = new Set<string>();
  for (const { track, fieldSpans } of takes)
    for (const [field, spans] of Object.entries(fieldSpans))
      if (spans.length > 1 && !faulty.has(useOf(field, track))) kept.add(field);
  return kept;
}

/** To change a default would change the other tracks too, and what was bought would be bought again. */
function concluded({ diagnostic, related, inherited }: Merged, kept: ReadonlySet<string>): Diagnostic {
  const [first] = inherited.values();
  const places = [...related.values()];
  if (first === undefined || !kept.has(first.field))
    return places.length === 0 ? diagnostic : { ...diagnostic, related: places };
  const { field, hint, fix, trackSpan } = first;
  const names = [...inherited.keys()].map((track) => `\`${track}\``);
  const tracks = `track${names.length === 1 ? '' : 's'} ${listed(names, TRACKS_NAMED_MAX)}`;
  const own = hint === undefined ? undefined : `set \`${field}\` in ${tracks}: ${hint}`;
  const isUser = ({ line, column }: Span) => line === trackSpan.line && column === trackSpan.column;
  return {
    ...diagnostic,
    hint: fix === 'unset' ? orElse(`add \`${field}: null\` to ${tracks}`, hint) : own,
    span: trackSpan,
    related: [
      ...(diagnostic.span === undefined ? [] : [{ message: 'from `defaults`', span: diagnostic.span }]),
      ...places.filter(({ span }) => !isUser(span)),
    ],
  };
}
