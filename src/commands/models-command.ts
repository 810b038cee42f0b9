import { closest, isNear } from '../core/closest.js';
import { BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
import { listed } from '../plan/text.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { compareIds, comparePrices, renderModel, renderModels } from '../report/models-text.js';
import { tableWidth } from '../report/terminal.js';
import { retryUntilAnswered } from '../run/gather.js';
import { openSession } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { createClient } from '../venice/create-client.js';
import type { Model } from '../venice/model.js';

interface ModelFlags extends Flags {
  readonly duration?: string;
  readonly lyrics?: boolean;
  readonly instrumental?: boolean;
  readonly voices?: boolean;
  readonly sort?: 'name' | 'price';
}

/** Length used to compare prices by default. */
const COMPARED_SECONDS = 60;

/** Lists the live models, or those whose id contains a word, or shows one of them in full. Needs no key. */
export async function modelsCommand(id: string, flags: ModelFlags): Promise<ExitCode> {
  const askedSeconds = wholeSeconds(flags.duration);
  const comparedSeconds = flags.sort === 'price' ? (askedSeconds ?? COMPARED_SECONDS) : undefined;
  const session = await openSession('models.yaml', flags);
  try {
    const client = createClient(await session.connect(), session.redact);
    const models = await retryUntilAnswered(session.ports.clock, () => client.models());
    if (!models.ok)
      throw new BatchError('service', `could not fetch the models: ${escapeForeign(models.message)}`, {
        exitCode: EXIT.unavailable,
        hint: 'run the same command again later, or list the simulated ones: venice-batch models --sandbox',
      });
    const all = [...models.value.values()];
    const one = id === '' ? undefined : models.value.get(id);
    const some = id === '' ? all : one === undefined ? like(all, id, session.command('models')) : [one];
    const chosen = one === undefined ? choose(some, flags, comparedSeconds) : [one];
    const { stdout } = session;
    if (flags.json === true) stdout.write(jsonDocument(chosen));
    else {
      // Show the length that prices are compared at.
      const durationSeconds = one === undefined ? (askedSeconds ?? comparedSeconds) : askedSeconds;
      const options = {
        durationSeconds,
        color: stdout.color,
        width: tableWidth(stdout, process.env),
        command: session.command('models', 'MODEL'),
      };
      stdout.write(one === undefined ? renderModels(chosen, options) : renderModel(one, options));
    }
    return EXIT.ok;
  } finally {
    await session.close();
  }
}

/** The models whose id contains the word. */
function like(models: readonly Model[], word: string, command: string): readonly Model[] {
  const found = models.filter(({ id }) => id.toLowerCase().includes(word.toLowerCase()));
  if (found.length > 0) return found;
  const ids = models.map(({ id }) => id);
  const near = closest(word, ids);
  const meant = near === undefined ? ids.filter((id) => beginsLike(id, word)) : [near];
  throw usageError(
    `there is no model ${escapeForeign(word)}`,
    `${meant.length === 0 ? 'list them' : `did you mean ${escapeForeign(listed(meant, MEANT_MAX))}? list them all`}: ${command}`,
    'unknown-model',
  );
}

const MEANT_MAX = 3;
const BEGINNING_MIN = 4;

/** Whether an id begins with the word, but for one typo. */
function beginsLike(id: string, word: string): boolean {
  if (word.length < BEGINNING_MIN) return false;
  return [-1, 0, 1].some((more) => isNear(word, id.slice(0, word.length + more), 1));
}

function choose(
  models: readonly Model[],
  flags: ModelFlags,
  comparedSeconds: number | undefined,
): readonly Model[] {
  const wanted = models
    .filter((model) => flags.lyrics !== true || model.supports_lyrics === true)
    .filter((model) => flags.instrumental !== true || model.supports_force_instrumental === true)
    .filter((model) => flags.voices !== true || (model.voices?.length ?? 0) > 0);
  return wanted.sort(comparedSeconds === undefined ? compareIds : comparePrices(comparedSeconds));
}

function wholeSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw usageError(`--duration takes whole seconds: ${escapeForeign(text)}`, 'write it like --duration 60');
}
