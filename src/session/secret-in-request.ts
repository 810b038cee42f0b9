import { fieldsOfKind } from '../core/audio-request.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { LoadedManifest, Take } from '../manifest/take.js';

const TEXT_FIELDS = fieldsOfKind('text');

/**
 * Refuses a manifest with a request that contains a secret, before anything is sent. Reported as an error of the
 * manifest, so that paid audio is still collected.
 *
 * @param redact changes a text that contains a secret
 */
export function refuseSecretRequests(
  loaded: LoadedManifest,
  redact: (text: string) => string,
): LoadedManifest {
  const takes = loaded.manifest?.takes ?? [];
  // One pass over all texts, because almost always there is nothing to find.
  const all = takes.flatMap(({ request }) => TEXT_FIELDS.map((field) => request[field] ?? '')).join('\n');
  if (redact(all) === all) return loaded;
  const found = new Map<string, Diagnostic>();
  for (const take of takes)
    for (const one of secretsIn(take, redact))
      found.set(`${one.message} ${one.span?.line} ${one.span?.column}`, one);
  if (found.size === 0) return loaded;
  return { diagnostics: [...loaded.diagnostics, ...found.values()], sources: loaded.sources };
}

function secretsIn(take: Take, redact: (text: string) => string): readonly Diagnostic[] {
  return TEXT_FIELDS.flatMap((field) => {
    const text = take.request[field];
    if (text === undefined || redact(text) === text) return [];
    const what = field === 'lyrics_prompt' ? 'the lyrics contain' : `\`${field}\` contains`;
    return [
      {
        code: 'secret-in-request' as const,
        severity: 'error' as const,
        message: `${what} an API key or another secret, which would be sent to the service`,
        hint: 'remove it; if others have seen this text, replace the key',
        span: take.fieldSpans[field]?.[0] ?? take.span,
      },
    ];
  });
}
