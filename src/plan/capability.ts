import type { AudioRequest } from '../core/audio-request.js';
import { closest } from '../core/closest.js';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import type { Take } from '../manifest/take.js';
import type { Catalogue, Model } from '../venice/model.js';
import type { Finding } from './rule.js';
import { isDefaultSpeed, RULES } from './rules.js';
import { listed, quoted } from './text.js';

export interface CheckedRequest {
  /** In the order of the rules. */
  readonly diagnostics: readonly Diagnostic[];
  /** The request to send. Absent if there is an error. */
  readonly request?: AudioRequest;
}

/** Models named in a hint, and tracks named beside a shared value, at most. */
const MODELS_NAMED_MAX = 20;
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
  const findings = RULES.map((rule) => rule({ request, model, catalogue, nowMs }));
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
  };
}

/** At the value; if that came from `defaults`, also at the track that uses it. */
function place({ at, ...finding }: Finding, take: Take): Diagnostic {
  const spans = at === 'track' ? [] : (take.fieldSpans[at] ?? []);
  const model = at === 'track' ? take.fieldSpans.model?.[0] : undefined;
  const related = [
    ...spans.slice(1).map((span) => ({ message: `used by track ${take.track}`, span })),
    ...(model === undefined ? [] : [{ message: 'its model', span: model }]),
  ];
  const diagnostic = { ...finding, span: spans[0] ?? take.span };
  return related.length === 0 ? diagnostic : { ...diagnostic, related };
}

/**
 * Merges diagnostics that say the same about the same place (the takes of a track, the tracks that share a default)
 * into one, with the first ten related places of all of them.
 */
export function mergeAlike(diagnostics: Iterable<Diagnostic>): Diagnostic[] {
  const merged = new Map<
    string,
    { diagnostic: Diagnostic; related: Map<string, { message: string; span: Span }> }
  >();
  for (const diagnostic of diagnostics) {
    const { related = [], ...reported } = diagnostic;
    const key = JSON.stringify(reported);
    const known = merged.get(key) ?? { diagnostic, related: new Map() };
    for (const place of related) {
      if (known.related.size < RELATED_MAX) known.related.set(JSON.stringify(place.span), place);
    }
    merged.set(key, known);
  }
  return [...merged.values()].map(({ diagnostic, related }) =>
    related.size === 0 ? diagnostic : { ...diagnostic, related: [...related.values()] },
  );
}
