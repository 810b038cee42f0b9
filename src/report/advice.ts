import type { TakeEvent } from '../core/events.js';
import { shellWord } from '../core/shell.js';
import { escapeForeign } from './escape.js';
import { resolutionOf } from './phrases.js';

/** A command of this program for the same manifest, ready to paste. */
export type CommandFor = (verb: string, ...words: string[]) => string;

/** The next step for a take that is not made, as an instruction. */
export function adviceFor(take: TakeEvent, command: CommandFor): string {
  const id = take.attempt.slice(0, 8);
  switch (take.state) {
    case 'rejected':
      return adviceForRefusal(take, command);
    case 'failed':
      return adviceForFailure(take);
    case 'lost':
      if (resolutionOf(take.code) !== undefined) return buyAgain(take);
      return `The service no longer has the audio. ${buyAgain(take)} If the service finds it after all, collect it: \`${command('resolve', id, '--queue-id', take.queue_id ?? 'ID')}\`.`;
    case 'unverified':
      if (take.code === 'not_found')
        return `The service no longer has the audio, but a download that failed the check is kept as \`.unverified\`. If it sounds right, keep it: \`${command('accept', take.key)}\`. To give the take up: \`${command('resolve', id, '--charged')}\`.`;
      if (take.code === 'empty' || take.code === 'too_long')
        return `Run again to download it once more, at no cost. To give the take up: \`${command('resolve', id, '--charged')}\`.`;
      return `The bytes are kept as \`.unverified\`; run again to download it once more, at no cost. If they sound right, keep them: \`${command('accept', take.key)}\`. To give the take up: \`${command('resolve', id, '--charged')}\`.`;
    case 'missing':
      if (take.code === 'not-downloaded')
        return `Download it, at no cost as long as the service or the shared log has it: \`${command('collect')}\`.`;
      if (take.machine !== undefined)
        return `It is on ${escapeForeign(take.machine)}: copy it from there, or let one copy on another machine be enough: \`${command('run', '--allow-single-copy')}\`.`;
      return take.code === 'no-file-here'
        ? 'If it was made with `--out-dir`, pass that folder again; otherwise put the file back.'
        : `Put the file back, or buy it again: \`${command('run', '--retry-failed', '--only', `${take.track}#${take.take}`)}\`.`;
    case 'in_doubt':
      return `See what the billing history shows, and settle it: \`${command('resolve')}\`.`;
    default:
      return 'Run again to continue where it stopped.';
  }
}

/** Unlike `--retry-failed`, also right if an earlier file of the take is kept. */
function buyAgain({ track, take }: TakeEvent): string {
  return `To buy it again, run with \`--force ${shellWord(`${track}#${take}`)}\`.`;
}

function adviceForFailure(take: TakeEvent): string {
  const { money } = take;
  const again = buyAgain(take);
  if (money === 'refunded') return `The charge was refunded. ${again}`;
  if (money === 'refunded (as documented)')
    return `According to its documentation, the service refunds this charge. ${again}`;
  return again;
}

function adviceForRefusal(take: TakeEvent, command: CommandFor): string {
  if (resolutionOf(take.code) !== undefined) return 'Run again to buy it, after approval.';
  if (take.status === undefined) return 'It was not sent. Run the same command again.';
  switch (take.status) {
    case 401:
      return 'Check the API key or wallet, and whether it may use this model, then run the same command again.';
    case 402:
      return 'Top up the balance or raise the spend limit of the key, then run the same command again.';
    case 403:
      return 'Allow the model for this key, or enable API access for the account, then run the same command again.';
    case 404:
    case 410:
      return `The model is no longer offered: choose another (\`${command('models')}\`), then run again.`;
    case 422:
      return take.suggested_prompt === undefined
        ? 'Change the prompt, then run again: only this track is bought.'
        : 'Change the prompt (the service suggests one), then run again: only this track is bought.';
    case 429:
    case 503:
      if (take.code === 'MODEL_OFFLINE')
        return `The model is offline: run the same command again later, or choose another (\`${command('models')}\`).`;
      return 'The service is busy: run the same command again later.';
    default:
      return `Correct the track in the manifest, then run again.${reasonAgain(take, command)}`;
  }
}

/** Only the run that was refused has the service's words: the lockfile holds none. */
function reasonAgain({ message, track, take }: TakeEvent, command: CommandFor): string {
  if (message !== undefined) return '';
  const submit = command('run', '--retry-failed', '--only', `${track}#${take}`);
  return ` To see the reason again, submit it unchanged: \`${submit}\`. Nothing is charged if it is refused again.`;
}
