import { describe, expect, it } from 'vitest';
import { MANIFEST_LENGTH_MAX, parseManifest } from '../../src/manifest/parse.js';
import { placeOf } from './check.js';

const parsed = (text: string) => parseManifest('album.yaml', text);
const found = (text: string) => parsed(text).diagnostics.map(placeOf);

describe('an error in YAML has a code and a place', () => {
  it.each([
    ['a second colon on a line', 'a: 1\nb: c: d\n', ['yaml-syntax@2:4']],
    ['a tab as indentation', 'a:\n\tb: 1\n', ['yaml-syntax@2:1']],
    ['a quote that is never closed', 'a: "b\nc: 1\n', ['yaml-syntax@1:4']],
    ['a bracket that is never closed', 'a: [1, 2\n', ['yaml-syntax@1:4']],
    ['a list of maps that is never closed', 'tracks: [\n  {id: a},\n  {id: b}\n', ['yaml-syntax@1:9']],
    ['an outer bracket that is never closed', '{"a": 1, "b": [{"c": 1}]\n', ['yaml-syntax@1:1']],
    ['a token template without quotes', 'output: {id}.{ext}\n', ['yaml-syntax@1:13']],
    ['a field without a colon', 'a: 1\nb\nc: 2\n', ['yaml-syntax@2:1']],
    ['a bad escape', 'a: "\\q"\n', ['yaml-syntax@1:5']],
    ['a list as the name of a field', '? [a]\n: 1\n', ['yaml-syntax@1:3']],
    ['two errors on two lines', 'a: b: c\nd: e: f\n', ['yaml-syntax@1:4', 'yaml-syntax@2:4']],
    ['an unknown tag', 'a: !secret b\n', ['yaml-tag@1:4']],
    ['a tag of another schema', 'a: !!binary aGk=\n', ['yaml-tag@1:4']],
    ['an older YAML', '%YAML 1.1\n---\na: yes\n', ['yaml-version@1:1']],
    ['a second document', 'a: 1\n---\nb: 2\n', ['several-documents@2:1']],
    ['nothing', '', ['empty-manifest@1:1']],
    ['nothing but comments', '# one\n\n# two\n', ['empty-manifest@1:1']],
    ['nothing but a document marker', '---\n', ['empty-manifest@1:1']],
  ])('%s', (_name, text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(parsed(text).root).toBeUndefined();
  });

  it.each([
    ['equal keys', 'a: 1\nb: 2\na: 3\n', ['duplicate-key@3:1']],
    ['equal keys in a flow map', '{a: 1, "a": 2}', ['duplicate-key@1:8']],
    ['a merge key', 'x: &x { a: 1 }\ny:\n  <<: *x\n', ['merge-key@3:3']],
    ['an alias without its anchor', 'a: *b\n', ['unknown-anchor@1:4']],
    ['an alias before its anchor', 'a: *b\nc: &b 1\n', ['unknown-anchor@1:4']],
    ['an alias inside its own anchor', 'a: &x [1, *x]\n', ['endless-alias@1:11']],
  ])('does not keep the rest from being read: %s', (_name, text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(parsed(text).root).toBeDefined();
  });

  it('names both places of duplicate keys', () => {
    const [diagnostic] = parsed('a: 1\nb: 2\na: 3\n').diagnostics;
    expect(diagnostic?.related?.map(({ span }) => [span.line, span.column])).toEqual([[1, 1]]);
  });
});

describe('a field that is set twice', () => {
  const hints = (text: string) => parsed(text).diagnostics.map(({ hint, span }) => `${span?.line}: ${hint}`);
  const keep = 'keep one of the two';

  it.each([
    ['a prompt', ['- id: quay', '  prompt: x', '  prompt: y'], [`3: ${keep}`]],
    ['the same id', ['- id: quay', '  id: quay', '  prompt: y'], [`2: ${keep}`]],
    ['an id in a map that is no track', ['a:', '  id: x', '  id: y'], [`3: ${keep}`]],
    [
      'another id and what follows',
      ['- id: quay', '  prompt: x', '  loop: true', '  id: gulls', '  prompt: y', '  loop: true'],
      ['4: start a new track: `- id: gulls`'],
    ],
    [
      'the id of a copied track',
      ['- id: quay', '  prompt: x', '  id: quay', '  prompt: x'],
      ['3: start a new track: `- id: quay`'],
    ],
    [
      'two more ids',
      ['- id: a', '  id: b', '  id: 7'],
      ['2: start a new track: `- id: b`', '3: start a new track: `- id: 7`'],
    ],
    [
      'an id below its prompt',
      ['- prompt: x', '  id: a', '  prompt: y', '  id: b'],
      ['4: start a new track: `- id: b`'],
    ],
    ['an empty id', ['- id: a', '  id:', '  prompt: y'], [`2: ${keep}`]],
  ])('%s', (_name, lines, expected) => {
    expect(hints(lines.join('\n'))).toEqual(expected);
  });
});

describe('tabs as indentation are one error, whatever else the parser makes of them', () => {
  it.each([
    ['one line', 'a:\n  - id: b\n\tc: 1\n  - id: d\n', 'yaml-syntax@3:1', ''],
    ['two lines', 'a:\n- id: b\n\tc: 1\n- id: d\n\tc: 1\n', 'yaml-syntax@3:1', ', here and on 1 more line'],
    ['all lines', 'a:\n\tb: 1\n\tc:\n\t\td: 1\n', 'yaml-syntax@2:1', ', here and on 2 more lines'],
    ['spaces before the tab', 'a:\n  b: 1\n  \tc: 1\n', 'yaml-syntax@3:3', ''],
    ['after a dash', 'a:\n-\tb: 1\n-\tb: 2\n', 'yaml-syntax@2:2', ', here and on 1 more line'],
    [
      'below a block text',
      'a:\n  - p: |\n\tx\n\ty\n  - p: z\n',
      'yaml-syntax@3:1',
      ', here and on 1 more line',
    ],
    ['in a quoted text', 'a:\n  p: "x\n\ty"\n', 'yaml-syntax@3:1', ''],
  ])('%s', (_name, text, place, more) => {
    const { diagnostics } = parsed(text);
    expect(diagnostics.map(placeOf)).toEqual([place]);
    expect(diagnostics[0]?.message).toBe(`a tab is used as indentation${more}`);
  });

  it('a tab inside a block text is text', () => {
    expect(found('a: |\n  x\n  \ty\n')).toEqual([]);
  });
});

it('a quote that is missing is named as such', () => {
  expect(parsed('p: "hello\n').diagnostics[0]?.message).toBe(
    'this is not valid YAML: the closing " is missing',
  );
});

describe('the fix of an error in YAML is made from what was written', () => {
  it.each([
    ['a: b\np: Rock: hard', 'put the text into quotes: p: "Rock: hard"'],
    ['p: @home "now"', 'put the text into quotes: p: "@home \\"now\\""'],
    ['p: `ticks` of it', 'put the text into quotes: p: "`ticks` of it"'],
    ['p: [Verse] hello', 'put the text into quotes: p: "[Verse] hello"'],
    ['p: {hello\n', 'end it with }, or if it is text, put the text into quotes: p: "{hello"'],
    ['p: "Song with "quotes" inside"', 'write p: \'Song with "quotes" inside\''],
    ['p: "Song: "quotes": inside" # b', 'write p: \'Song: "quotes": inside\' # b'],
    ['p: "it\'s "x" here"', 'write p: "it\'s \\"x\\" here"'],
    ['p: "a \\"b\\" "c" d"', 'write p: "a \\"b\\" \\"c\\" d"'],
    ['p: "he said "hi""', 'write p: \'he said "hi"\''],
    ['p: "12" vinyl crackle"', "write p: '12\" vinyl crackle'"],
    ['p: "Song "x" open', 'put text that contains double quotes in single quotes'],
    ["p: 'It's a song'", 'write p: "It\'s a song"'],
    ["p: 'It''s Dave's song'", 'write p: "It\'s Dave\'s song"'],
    ["p: 'It's \"so\"'", "write p: 'It''s \"so\"'"],
    ['p: "a" and "b"', 'put the text into quotes: p: "\\"a\\" and \\"b\\""'],
    ['p: "quoted" start', 'put the text into quotes: p: "\\"quoted\\" start"'],
    [`p: "${'long "x" '.repeat(20)}"`, 'put text that contains double quotes in single quotes'],
    ['p: |hello', 'put the text into quotes: p: "|hello"'],
    ['p: !loud x', 'remove it, or put the text into quotes: p: "!loud x"'],
    ['p: *x', 'if it is text, put it into quotes: "*x"'],
    ['p: "hello\n', 'end the text with a quote: p: "hello"'],
    ['p: "\\q"', 'between double quotes \\ begins an escape: write \\\\q, or use single quotes'],
    ['t:\n  -id: a\n   p: x', 'put a space after the dash: `- id: a`'],
    ['t:\n  - id: a\n    p:x\n    q: y', 'put a space after the colon: `p: x`'],
    ['t:\n  - id: a\n    p: >\n    hello\n  - id: b', 'indent the text below `p: >` with at least 6 spaces'],
    ['t:\n  - id: a\n    q: 1\n   p: x', 'indent it with 4 spaces'],
    ['t:\n  - id: a\n      p: x', 'begin the next line in the same column as this field'],
  ])('%j', (text, hint) => {
    expect(parsed(text).diagnostics[0]?.hint).toContain(hint);
  });
});

it('a text with quotes in its quotes is said to end early', () => {
  expect(parsed('p: "Song: "quotes": inside"').diagnostics[0]?.message).toBe(
    'a quote inside this text ends it early',
  );
});

describe('valid YAML is read', () => {
  it.each([
    ['a byte-order mark', '\uFEFFa: 1\n', { a: 1 }],
    ['CRLF', 'a: 1\r\nb: |\r\n  x\r\n  y\r\n', { a: 1, b: 'x\ny\n' }],
    ['an end marker', '---\na: 1\n...\n', { a: 1 }],
    ['YAML 1.1 booleans as text', 'a: yes\nb: off\nc: 12:30\n', { a: 'yes', b: 'off', c: '12:30' }],
    ['an alias', 'a: &x [1, 2]\nb: *x\n', { a: [1, 2], b: [1, 2] }],
    ['a redefined anchor', 'a: &x 1\nb: &x 2\nc: *x\n', { a: 1, b: 2, c: 2 }],
    ['an absent value', 'a:\nb: 1\n', { a: null, b: 1 }],
    ['numbers as names', '1: a\n', { 1: 'a' }],
    ['raw control characters', 'a: x\u001b[31m\u0007y\n', { a: 'x\u001b[31m\u0007y' }],
  ])('%s', (_name, text, expected) => {
    expect(found(text)).toEqual([]);
    expect(structuredClone(parsed(text).root?.value)).toEqual(expected);
  });

  it('keeps names of Object.prototype as plain keys', () => {
    const { root } = parsed('__proto__: { polluted: true }\nconstructor: 1\ntoString: 2\n');
    expect(Object.keys(root?.value as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(root?.value)).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('knows the place of each value, even with CRLF and after a byte-order mark', () => {
    const { root, source } = parsed('\uFEFFa: 1\r\nb:\r\n  - |\r\n    x\r\n    y\r\nc: 2\r\n');
    const b = root?.kind === 'map' ? root.entries.get('b') : undefined;
    expect(source.spanOf(b!.key)).toMatchObject({ line: 2, column: 1, endLine: 2, endColumn: 2 });
    const item = b?.node.kind === 'list' ? b.node.items[0] : undefined;
    expect(source.spanOf(item!)).toMatchObject({ line: 3, column: 5, endLine: 5, endColumn: 6 });
  });
});

describe('a text that is cut by a comment', () => {
  const manifest = (prompt: string) =>
    `version: 1\ntracks:\n  - id: a\n    model: m\n    prompt: ${prompt}\n    duration_seconds: 5 #five\n`;

  it.each([
    ['Summer #1 hit', ['text-cut@5:18']],
    ['Summer # the first', []],
    ['Summer#1 hit', []],
    ['"Summer #1 hit"', []],
    ['"Summer" #1 hit', []],
  ])('%s', async (prompt, expected) => {
    expect(await found(manifest(prompt))).toEqual(expected);
  });
});

describe('hostile text is refused or read in linear time', () => {
  const bomb = (levels: number) =>
    [
      'a0: &a0 x',
      ...Array.from({ length: levels }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`),
    ].join('\n');

  it.each([
    ['an alias bomb', bomb(30), /^manifest-too-large@\d+:\d+$/],
    ['endless open brackets', '['.repeat(50_000), /^too-deep@1:66$/],
    ['brackets that are closed again', '['.repeat(50_000) + ']'.repeat(50_000), /^too-deep@1:66$/],
    ['lists in lists', `${'- '.repeat(50_000)}a`, /^too-deep@1:131$/],
    ['maps as keys', '? '.repeat(50_000), /^too-deep@1:131$/],
    [
      'maps in maps',
      Array.from({ length: 500 }, (_, n) => `${' '.repeat(n)}a:\n`).join(''),
      /^too-deep@65:65$/,
    ],
    ['more values than any manifest has', '- a\n'.repeat(1_300_000), /^manifest-too-large@1:1$/],
    ['a text that is too long', `a: ${'x'.repeat(MANIFEST_LENGTH_MAX)}`, /^manifest-too-large@1:1$/],
  ])('%s', (_name, text, expected) => {
    const places = found(text);
    expect(places).toHaveLength(1);
    expect(places[0]).toMatch(expected);
  });

  it('reads a small alias bomb, as it is harmless', () => {
    expect(found(bomb(3))).toEqual([]);
  });

  const keys = Array.from({ length: 20_000 }, (_, n) => `k${n}: 1\n`).join('');

  it('reads 20,000 keys of one map', () => {
    expect(Object.keys(parsed(keys).root?.value as object)).toHaveLength(20_000);
  });

  it('finds one duplicate key among 20,000', () => {
    expect(found(`${keys}k7: 2\n`)).toEqual(['duplicate-key@20001:1']);
  });

  it('reports at most 100 broken lines', () => {
    expect(found('- a: b: c\n'.repeat(3_000))).toHaveLength(100);
  });

  it('reads a value of several megabytes', () => {
    const text = `a: "${'\\n x'.repeat(1_000_000)}"\n`;
    expect(found(text)).toEqual([]);
  });
});
