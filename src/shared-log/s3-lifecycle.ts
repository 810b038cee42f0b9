import { between, bodyOf, unescapeXml } from './s3-answer.js';
import type { S3Client } from './s3-client.js';

const DEADLINE_MS = 30_000;
const BYTES_MAX = 1024 * 1024;

/**
 * The id of a bucket's rule that would take away objects below the prefix; empty if the rule has none. `undefined` if
 * there is no such rule, or if these credentials may not read the rules.
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
 * Parses a `LifecycleConfiguration`. An id is untrusted text. Rules that also filter by tag or size count, because what they match is not
 * predictable. Old probes may be deleted at any time.
 */
export function ruleFor(text: string, prefix: string): string | undefined {
  for (const part of text.split('<Rule>').slice(1)) {
    const [rule = ''] = part.split('</Rule>', 1);
    const begins = unescapeXml(between(rule, '<Prefix>', '</Prefix>') ?? '');
    const concerns = KEPT.some((name) => overlaps(begins, prefix + name));
    const isEnabled = /<Status>\s*Enabled\s*<\/Status>/.test(rule);
    if (isEnabled && concerns && takesAway(rule))
      return unescapeXml(between(rule, '<ID>', '</ID>') ?? '').trim();
  }
  return undefined;
}

const KEPT = ['log/', 'audio/'];

function overlaps(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

/** Whether it deletes objects, or moves them to where they cannot be read until they are restored. */
function takesAway(rule: string): boolean {
  // Without a time, an expiration only removes delete markers.
  const deletes = /<(?:Days|Date)>/.test(between(rule, '<Expiration>', '</Expiration>') ?? '');
  const transitions = rule.split('<Transition>').slice(1);
  return deletes || transitions.some((one) => OFFLINE.test(one.split('</Transition>', 1)[0] ?? ''));
}

const OFFLINE = /<StorageClass>\s*(?:GLACIER|DEEP_ARCHIVE)\s*<\/StorageClass>/;
