import { isRefunded } from './jobs.js';
import type { Job } from './ledger.js';
import { hasWord } from './prompt-words.js';
import type { SandboxModel } from './sandbox-model.js';
import { json, refuse, type ServiceAnswer } from './service-response.js';
import type { State } from './service-state.js';

/** How retrieve says that a job failed: the same on each poll, except that it may or may not mention the refund. */
export function failureAnswer(state: State, job: Job): ServiceAnswer {
  const stated = hasWord(job.prompt, 'refund') || !state.happens('refundUnstated');
  const refund = stated ? { credits_refunded: isRefunded(job) } : {};
  if (state.description.failures === 'json') {
    const error = 'The provider could not generate the audio';
    return json(200, { status: 'FAILED', error, error_code: 'GENERATION_FAILED', ...refund });
  }
  switch (job.end) {
    case 'failed-422':
      return refuse(422, 'Your prompt violates the content policy of the model provider', refund);
    case 'failed-500':
      return refuse(500, 'Inference processing failed');
    case 'failed-503':
      return refuse(503, 'The model is at capacity. Please try again later.');
    default:
      return refuse(400, 'The provider could not generate the audio', refund);
  }
}

/** Adds the headers that describe finished audio. */
export function withFacts(answer: ServiceAnswer, job: Job, model: SandboxModel | undefined): ServiceAnswer {
  const facts: Record<string, string> = {
    'x-venice-audio-format': job.format,
    'x-venice-inference-time': String(job.runMs / 1_000),
    'x-venice-model-id': job.model,
    'x-venice-model-name': model?.spec.name ?? job.model,
    ...(model?.reservedSeconds === undefined
      ? {}
      : {
          'x-venice-audio-duration': String(job.durationSeconds),
          'x-venice-audio-subtitle': job.prompt
            .replace(/[^ -~]/g, '')
            .slice(0, 80)
            .trim(),
        }),
  };
  return { ...answer, headers: { ...answer.headers, ...facts } };
}
