import type { Diagnostic } from '../core/diagnostic.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import type { Take } from '../manifest/take.js';
import type { Draft } from '../plan/assemble-plan.js';
import type { ClosedModels } from '../plan/plan.js';
import { readSelection, retryFlags, type Selection } from '../plan/selection.js';
import { listed } from '../plan/text.js';
import { keyHint } from '../run/close-model.js';
import type { GatheredQuotes } from '../run/gather.js';
import type { CallFailure } from '../venice/client.js';
import { classifyNoQuote, isOfModel } from '../venice/quote-outcome.js';

/* What follows from prices that could not be fetched. */

export interface Unpriced {
  /** Their takes are left out, and the others can be bought. */
  readonly closed: ClosedModels;
  readonly diagnostics: readonly Diagnostic[];
  /** Set if nothing can be bought. */
  readonly refusal?: ExitCode | undefined;
}

interface Asked {
  readonly drafts: readonly Draft[];
  readonly takes: readonly Take[];
  readonly selection: Selection;
  command(verb: string, ...words: string[]): string;
}

type Failed = GatheredQuotes['failures'][number];

/** Tracks named in a message, or left out by a suggested command, at most. */
const TRACKS_NAMED_MAX = 8;
const MODELS_NAMED_MAX = 5;

/** A model that is refused, or no longer offered, concerns only its own takes. Anything else forbids buying. */
export function judgeUnpriced(gathered: GatheredQuotes, asked: Asked): Unpriced {
  const { failures, leftOut, quotes } = gathered;
  const first = failures[0];
  if (first === undefined) return { closed: new Map(), diagnostics: [] };
  const ofModels = new Map<string, Failed>();
  for (const failed of failures) if (isOfModel(failed.failure)) ofModels.set(failed.query.model, failed);
  const isOpen = ({ query }: Draft) => !ofModels.has(query.model) && quotes.has(query.key);
  const other = failures.find(({ failure }) => !isOfModel(failure));
  if (other !== undefined || leftOut > 0 || !asked.drafts.some(isOpen))
    return {
      closed: new Map(),
      diagnostics: withoutPrice(gathered, ofModels, asked.command),
      refusal: refusalOf((other ?? first).failure),
    };
  const closed = new Map([...ofModels].map(([model, { failure }]) => [model, codeOf(failure)] as const));
  return {
    closed,
    diagnostics: [...ofModels.values()].map((failed) => leftOutWarning(failed, closed, asked)),
  };
}

function codeOf(failure: CallFailure): 'model-refused' | 'unknown-model' {
  return classifyNoQuote(failure) === 'model_refused' ? 'model-refused' : 'unknown-model';
}

function leftOutWarning({ query, failure }: Failed, closed: ClosedModels, asked: Asked): Diagnostic {
  const { model } = query;
  const takes = asked.drafts.filter((draft) => draft.query.model === model).map(({ take }) => take);
  const tracks = [...new Set(takes.map(({ track }) => track))];
  const code = codeOf(failure);
  const what =
    code === 'model-refused' ? `this key may not use ${model}` : `the service does not offer ${model}`;
  const fix =
    code === 'model-refused'
      ? 'allow the model for this key, use a key that may use it, or choose another model'
      : `choose another model: \`${asked.command('models')}\` lists them`;
  const without = withoutModels(closed, asked);
  return {
    code,
    severity: 'warning',
    message: `${what} (HTTP ${failure.status}): ${failure.message}; ${listed(tracks, TRACKS_NAMED_MAX)} cannot be bought, and the other tracks can`,
    hint: without === undefined ? fix : `${fix}; or leave out what cannot be bought: ${without}`,
    ...(takes[0] === undefined ? {} : { span: takes[0].fieldSpans.model?.[0] ?? takes[0].span }),
  };
}

/** The same run without the takes of these models. `undefined`: too many to name. */
function withoutModels(
  closed: ClosedModels,
  { drafts, takes, selection, command }: Asked,
): string | undefined {
  const isClosed = ({ request }: Take) => closed.has(request.model);
  const tracks = new Set(drafts.flatMap(({ take }) => (isClosed(take) ? [take.track] : [])));
  if (tracks.size > TRACKS_NAMED_MAX) return undefined;
  const except = [...new Set([...(selection.except ?? []), ...tracks])];
  // A flag of which nothing is left would be an error.
  const force = selection.force.filter((pattern) => {
    const { forced } = readSelection({ retryFailed: false, force: [pattern] }, takes);
    return takes.some((take) => forced(take) && !isClosed(take));
  });
  return command(
    'run',
    ...except.flatMap((track) => ['--except', track]),
    ...retryFlags({ ...selection, force }),
  );
}

/** Each distinct reason once. */
function withoutPrice(
  { failures, leftOut }: GatheredQuotes,
  ofModels: ReadonlyMap<string, Failed>,
  command: Asked['command'],
): readonly Diagnostic[] {
  const refused = [...ofModels.values()].filter(({ failure }) => codeOf(failure) === 'model-refused');
  const isAll =
    refused.length > 1 &&
    refused.length === ofModels.size &&
    failures.every(({ failure }) => isOfModel(failure));
  if (isAll && leftOut === 0) return [allRefused(refused)];
  const distinct = new Map<string, Diagnostic>();
  for (const { query, failure } of failures) {
    const what = `could not fetch the price of ${query.model}`;
    const diagnostic = serviceError(what, failure, priceHint(failure, command));
    distinct.set(diagnostic.message, diagnostic);
  }
  const last = [...distinct.values()].at(-1);
  if (last === undefined || leftOut === 0) return [...distinct.values()];
  const rest = leftOut === 1 ? '1 more price was' : `${leftOut} more prices were`;
  const message = `too many prices in a row could not be fetched for the same reason: ${rest} not requested`;
  return [...distinct.values(), { ...last, message }];
}

/** The key itself works: the models are listed for it, and nothing says that it is bad. */
function allRefused(refused: readonly Failed[]): Diagnostic {
  const models = refused.map(({ query }) => query.model);
  const { status, message } = refused[0]!.failure;
  return {
    code: 'model-refused',
    severity: 'error',
    message: `this key may use none of the models in this batch, ${listed(models, MODELS_NAMED_MAX)} (HTTP ${status}): ${message}`,
    hint: 'nothing was bought; allow the models for this key, or use a key that may use them',
  };
}

/** For a price, the request itself may be the cause. */
function refusalOf(failure: CallFailure): ExitCode {
  switch (classifyNoQuote(failure)) {
    case 'key':
    case 'model_refused':
      return EXIT.authentication;
    case 'model_gone':
    case 'request':
      return EXIT.invalid;
    default:
      return EXIT.unavailable;
  }
}

/** For a price that the service refuses. */
function priceHint(failure: CallFailure, command: Asked['command']): string {
  switch (classifyNoQuote(failure)) {
    case 'request':
      return 'nothing was bought; correct the track in the manifest';
    case 'key':
      return failure.status === 403
        ? 'nothing was bought; enable API access for the account, or use the key of another one'
        : `nothing was bought; ${keyHint(failure.code)}`;
    case 'model_refused':
      return 'nothing was bought; allow the model for this key, or use another key or model';
    case 'model_gone':
      return `nothing was bought; choose another model: \`${command('models')}\` lists them`;
    default:
      return LATER_HINT;
  }
}

const LATER_HINT = 'nothing was bought; run the same command again later';

export function serviceError(what: string, failure: CallFailure, hint: string): Diagnostic {
  const status = failure.status === undefined ? '' : ` (HTTP ${failure.status})`;
  return { code: 'service', severity: 'error', message: `${what}${status}: ${failure.message}`, hint };
}
