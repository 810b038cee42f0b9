export type ApiKey =
  | { readonly ok: true; readonly key: string }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const HINT = 'set VENICE_API_KEY to the key alone, as shown at https://venice.ai/settings/api';

/** Checks the form of an API key. Messages never contain its text. */
export function checkApiKey(text: string | undefined): ApiKey {
  const wrong = (message: string): ApiKey => ({ ok: false, message, hint: HINT });
  if (text === undefined || text === '') return wrong('VENICE_API_KEY is not set');
  if (/[\r\n]/.test(text)) return wrong('VENICE_API_KEY contains a line break');
  if (/^Bearer\b/i.test(text))
    return wrong('VENICE_API_KEY starts with "Bearer", which is added automatically');
  if (/\s/.test(text)) return wrong('VENICE_API_KEY contains a space');
  if (!/^[!-~]+$/.test(text)) return wrong('VENICE_API_KEY contains a character that no key has');
  if (text.length > 4_096) return wrong('VENICE_API_KEY is too long');
  return { ok: true, key: text };
}
