import { between, bodyOf } from './s3-answer.js';
import type { S3Client } from './s3-client.js';

const DEADLINE_MS = 30_000;
const BYTES_MAX = 1024 * 1024;

/**
 * The name of a bucket's rule that would delete objects below the prefix. `undefined` if there is none, or if these
 * credentials may not read the rules.
 *
 * @param prefix with a trailing slash, or empty
 */
export async function expiringRule(client: S3Client, prefix: string): Promise<string | undefined> {
  const answer = await client({ method: 'GET', query: { lifecycle: '' }, deadlineMs: DEADLINE_MS });
  if (answer.status !== 200) {
    answer.discard();
    return undefined;
  }
  return ruleFor(new TextDecoder().decode(await bodyOf(answer, BYTES_MAX)), prefix);
}

/**
 * Parses a `LifecycleConfiguration`. Rules that also filter by tag or size count, because what they match is not
 * predictable.
 */
export function ruleFor(text: string, prefix: string): string | undefined {
  for (const part of text.split('<Rule>').slice(1)) {
    const [rule = ''] = part.split('</Rule>', 1);
    const begins = between(rule, '<Prefix>', '</Prefix>') ?? '';
    const deletes = /<Status>\s*Enabled\s*<\/Status>/.test(rule) && /<Expiration>/.test(rule);
    const concerns = begins.startsWith(prefix) || prefix.startsWith(begins);
    // A rule that only removes delete markers deletes no objects.
    const onlyMarkers = /<ExpiredObjectDeleteMarker>/.test(rule) && !/<(?:Days|Date)>/.test(rule);
    if (deletes && concerns && !onlyMarkers)
      return /<ID>([\w .:-]{1,100})<\/ID>/.exec(rule)?.[1] ?? 'without a name';
  }
  return undefined;
}
