/**
 * An address that is safe to show: origin and path. Credentials, query and fragment may be secrets
 * (a signed link, a password).
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

/** The endpoint that a lockfile or a saved plan names, which may come from anybody. */
export function shownEndpoint(endpoint: string): string {
  return endpoint === 'sandbox:' ? endpoint : shownAddress(endpoint);
}

/** The text with each address in it as it may be told, also where slashes are escaped as in JSON, or the scheme is left out before credentials. */
export function withShownAddresses(text: string): string {
  return text
    .replace(/\b[a-z][a-z0-9+.-]{0,30}:(?:\\?\/){2}[^\s"<>]*[^\s"<>'`,;)]/gi, (address) =>
      shownAddress(address.replaceAll('\\/', '/')),
    )
    .replace(/(?<![^\s"'(<])[^\s:/@"'<>]{1,256}:[^\s/@"'<>]{1,256}@(?=[\w.[-])/g, '');
}
