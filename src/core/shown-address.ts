/**
 * An address that is safe to show: origin and path. Credentials, query and fragment may be secrets (a signed link, a
 * password).
 */
export function shownAddress(address: string): string {
  const relative = !/^[a-z][a-z0-9+.-]*:/i.test(address);
  const base = 'https://relative.invalid';
  if (!URL.canParse(address, base)) return 'an address that cannot be read';
  const url = new URL(address, base);
  if (!/^https?:$/.test(url.protocol)) return `an address of the kind ${url.protocol}`;
  if (!relative) return url.origin + url.pathname;
  return url.origin === base ? url.pathname : `//${url.host}${url.pathname}`;
}

/** The endpoint named by a lockfile or saved plan, which are untrusted. */
export function shownEndpoint(endpoint: string): string {
  return endpoint === 'sandbox:' ? endpoint : shownAddress(endpoint);
}

/**
 * The text with each address reduced to what is safe to show, including addresses with escaped slashes as in JSON, and
 * credentials and queries without a scheme.
 */
export function withShownAddresses(text: string): string {
  return text
    .replace(/\b[a-z][a-z0-9+.-]{0,30}:(?:\\?\/){2}[^\s"<>]*[^\s"<>'`,;)]/gi, (address) =>
      shownAddress(address.replaceAll('\\/', '/')),
    )
    .replace(/(?<![^\s"'(<])(\/\/)?[^\s:/@"'<>]{1,256}:[^\s/@"'<>]{1,256}@(?=[\w.[-])/g, '$1')
    .replace(SCHEMELESS_QUERY, '$1');
}

/** Of `host.example/path?name=value` or `//host/path?name=value`. */
const SCHEMELESS_QUERY =
  /(?<![^\s"'(<])(\/\/[^\s?"<>'`(]{1,300}|(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}(?::\d+)?(?:\/[^\s?"<>'`(]{0,300})?)\?[^\s?="<>'`]{1,256}=[^\s"<>'`]*/g;
