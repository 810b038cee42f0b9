import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BatchError, EXIT } from '../core/errors.js';

/** Where the shared log, or the audio, is kept. Contains no secrets. */
export type StateAddress =
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string;
      /** Absent: AWS, or `AWS_ENDPOINT_URL_S3`. */
      readonly endpoint?: string;
      readonly region?: string;
    }
  /** A remote of the manifest's repository, by name or address, never by path. `ref`: below `refs/venice-batch/`. */
  | { readonly kind: 'git'; readonly remote: string; readonly ref?: string }
  | { readonly kind: 'folder'; readonly path: string };

const EXAMPLES =
  's3://bucket/prefix, s3://bucket/prefix?endpoint=https://host&region=auto, git:origin, or file:///mnt/share/folder';

/** Parses the value of `--state`. Throws a `BatchError` (exit 2) that never repeats a possible secret. */
export function parseStateAddress(text: string): StateAddress {
  if (/[\s\u0000-\u001f\u007f\\]/.test(text) || text.length > 2_000)
    throw wrong('contains a space, a backslash or a control character, or is too long');
  if (text.startsWith('s3://')) return parseS3(text);
  if (text.startsWith('git:')) return parseGit(text.slice('git:'.length));
  if (text.startsWith('file:')) return parseFile(text);
  throw wrong('does not begin with s3://, git: or file:///');
}

/** The normalised text of an address. */
export function stateAddressText(address: StateAddress): string {
  switch (address.kind) {
    case 's3': {
      const { bucket, prefix, endpoint, region } = address;
      const query = new URLSearchParams({ ...(endpoint && { endpoint }), ...(region && { region }) });
      const path = prefix === '' ? '' : `/${prefix}`;
      return `s3://${bucket}${path}${query.size > 0 ? `?${decodeURIComponent(query.toString())}` : ''}`;
    }
    case 'git':
      return `git:${address.remote}${address.ref === undefined ? '' : `?ref=${address.ref}`}`;
    default:
      return `file://${address.path}`;
  }
}

function parseS3(text: string): StateAddress {
  const [, place = '', query = ''] = /^s3:\/\/([^?#]*)(?:\?([^#]*))?$/.exec(text) ?? [];
  const slash = place.indexOf('/');
  const bucket = slash < 0 ? place : place.slice(0, slash);
  if (bucket.includes('@'))
    throw wrong('contains credentials', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead');
  if (!/^[a-z0-9][a-z0-9._-]{1,62}$/i.test(bucket)) throw wrong('has no valid bucket name after s3://');
  const prefix = slash < 0 ? '' : place.slice(slash + 1).replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9!._'()/=@-]*$/.test(prefix) || /(^|\/)\.{0,2}(\/|$)/.test(`${prefix || 'x'}`))
    throw wrong("has a prefix with characters other than letters, digits and ! . _ - ' ( ) / = @");
  const { endpoint, region } = parametersOf(query, ['endpoint', 'region']);
  if (region !== undefined && !/^[a-z0-9-]{2,40}$/.test(region)) throw wrong('has an invalid region');
  return {
    kind: 's3',
    bucket,
    prefix,
    ...(endpoint !== undefined && { endpoint: checkEndpoint(endpoint) }),
    ...(region !== undefined && { region }),
  };
}

/** Also checks `AWS_ENDPOINT_URL_S3`. */
export function checkEndpoint(text: string): string {
  const full = text.includes('://') ? text : `https://${text}`;
  if (!/^https?:\/\/[^/]/i.test(full) || !URL.canParse(full))
    throw wrong('has an endpoint that is not an http(s) address');
  const url = new URL(full);
  if (url.username !== '' || url.password !== '')
    throw wrong(
      'has an endpoint with credentials',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead',
    );
  if (url.search !== '' || url.hash !== '') throw wrong('has an endpoint with a query or a fragment');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function parseGit(text: string): StateAddress {
  const [, remote = '', query = ''] = /^([^?#]*)(?:\?([^#]*))?$/.exec(text) ?? [];
  if (remote === '' || remote.startsWith('-')) throw wrong('has no remote after git:');
  // Over HTTP the name alone may be a token.
  if (/^(?:https?:\/\/[^/]*@|[a-z+]+:\/\/[^/@]*:[^/@]*@)/i.test(remote))
    throw wrong(
      'contains credentials',
      'name a remote of the repository (git:origin), and keep credentials in a git credential helper',
    );
  if (!isGitRemote(remote))
    throw wrong(
      remote.includes(':')
        ? 'is not an https, ssh or git address, nor host:path'
        : 'names a git repository by its path',
      'add it as a remote (git remote add log ADDRESS) and name that: git:log',
    );
  const { ref } = parametersOf(query, ['ref']);
  if (ref !== undefined && !isRefName(ref)) throw wrong('has an invalid ref name');
  return { kind: 'git', remote, ...(ref !== undefined && { ref }) };
}

/**
 * The name of a remote, or the address of another machine. Not a path, where git would run the hooks of a repository
 * that may have come with the manifest; nor `ext::`, which is a command.
 */
function isGitRemote(text: string): boolean {
  if (!text.includes(':')) return !/^[./~]/.test(text);
  return /^(?:(?:https?|ssh|git):\/\/|[^/:]{2,}:(?!:|\/\/))/i.test(text);
}

/** A subset of the rules of `git check-ref-format`, checked without git. */
export function isRefName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(text) && !/\.\.|\.$|\.lock$/.test(text);
}

function parseFile(text: string): StateAddress {
  if (!/^file:\/\/\//.test(text))
    throw wrong('must be an absolute path, which begins with file:/// (three slashes)');
  if (/[?#]/.test(text)) throw wrong('has a query or a fragment');
  try {
    const path = fileURLToPath(text).replace(/(?<=.)\/+$/, '');
    if (isAbsolute(path)) return { kind: 'folder', path };
  } catch {
    // The next line reports it.
  }
  throw wrong('is not a valid file address');
}

function parametersOf<N extends string>(query: string, names: readonly N[]): Partial<Record<N, string>> {
  const found: Partial<Record<N, string>> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const known = names.find((one) => one === name);
    if (known === undefined)
      throw wrong(
        `has a parameter other than ${names.join(' and ')}`,
        'credentials belong in the environment',
      );
    found[known] = value;
  }
  return found;
}

function wrong(what: string, hint = `give an address such as ${EXAMPLES}`): BatchError {
  return new BatchError('state-address', `the address of the shared log ${what}`, {
    exitCode: EXIT.usage,
    hint,
  });
}
