import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ReviewData } from '../../src/review/data.js';
import { embeddedAudio, reportEnd, reportStart } from '../../src/review/html.js';

const ASSETS = { script: 'start()', style: 'body { color: red }' };
const HOSTILE = '</script><script>alert(1)</script><!--';

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function report(data: ReviewData): string {
  const [start, end] = embeddedAudio('ab', '"><script>');
  return reportStart(data, { ab: 'AAAA' }, ASSETS, hashOf) + start + end + reportEnd(ASSETS);
}

describe('the page of a report', () => {
  const data: ReviewData = {
    title: HOSTILE,
    manifest: 'album.yaml',
    sandbox: false,
    tracks: [{ id: 'one', title: HOSTILE, takes: [] }],
  };

  it('lets no text of the manifest become markup', () => {
    const html = report(data);
    expect(html).not.toContain('alert(1)</script>');
    expect(html.match(/<script/g)).toHaveLength(3);
    const json = /id="review-data">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual({ data, peaks: { ab: 'AAAA' } });
  });

  it('runs its own script only, and asks no other host', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(report(data))?.[1] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${hashOf(ASSETS.script)}'`);
    expect(policy).not.toMatch(/https?:|unsafe|\*/);
  });
});
