import type { ReviewData } from './data.js';

/** The page's script and style, as built. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

const HEAD = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">';
/** Browsers request an icon unless there is one. This prevents the request. */
const NO_ICON = '<link rel="icon" href="data:,">';

/** The data is read while the script is still loading. The attributes have to match the script's request. */
const EARLY_DATA = '<link rel="preload" href="data.json" as="fetch" crossorigin>';

/** The page of `review`. Everything else is loaded from below the page's own address. */
export function servedHtml(): string {
  return `<!doctype html>
<html lang="en">
<head>
${HEAD}
<title>Review</title>
${NO_ICON}
${EARLY_DATA}
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body></body>
</html>
`;
}

/** The beginning of a report. */
const REPORT_START = '<!doctype html>\n<!-- venice-batch report -->\n';

/**
 * The page of `report`, up to where embedded audio goes. `reportEnd` closes it.
 *
 * @param peaks base64 by SHA-256
 * @param hashOf SHA-256 of a text in base64, which names the only script and style allowed to run
 */
export function reportStart(
  data: ReviewData,
  peaks: Readonly<Record<string, string>>,
  { script, style }: PageAssets,
  hashOf: (text: string) => string,
): string {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hashOf(script)}'`,
    `style-src 'sha256-${hashOf(style)}'`,
    // Audio beside the page: on disk, or wherever the folder was copied.
    "media-src 'self' file: blob:",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `${REPORT_START}<html lang="en">
<head>
${HEAD}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(data.title)} – report</title>
${NO_ICON}
<style>${style}</style>
<script type="application/json" id="review-data">${jsonInHtml({ data, peaks })}</script>
</head>
<body>
`;
}

/** The markup before and after a file inside the page. Its bytes go between, in base64. */
export function embeddedAudio(sha256: string, mediaType: string): readonly [start: string, end: string] {
  const attributes = `id="audio-${escapeHtml(sha256)}" data-media-type="${escapeHtml(mediaType)}"`;
  return [`<script type="text/plain" ${attributes}>`, '</script>\n'];
}

export function reportEnd({ script }: PageAssets): string {
  return `<script>${script}</script>\n</body>\n</html>\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Escaped, so that nothing in it can end the element around it. */
function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
