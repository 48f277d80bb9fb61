import { Readable } from 'node:stream';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { memorySource } from '../../../core/bundle/host.ts';
import { nameFault } from '../../../core/bundle/layout.ts';
import {
  base64ToBytes,
  hexToBase64,
  parseManifest,
  parseSums,
  renderManifest,
  renderSums,
} from '../../../core/bundle/manifest.ts';
import { readContainer } from '../../../core/bundle/zip-reader.ts';
import { nodeHost } from '../../../engine/evidence/container-reader.ts';
import { value } from '../../support/evidence.ts';

type Options = {
  method?: number;
  flags?: number;
  size?: number;
  stored?: Buffer;
  extra?: Buffer;
  centralName?: string;
  attributes?: number;
  centralSize?: number;
};
type Entry = readonly [name: string, content: Buffer, options?: Options];

/** A ZIP with whatever headers a test wants. */
function zip(
  entries: readonly Entry[],
  tricks: { gap?: Buffer; count?: number; before?: Buffer } = {},
): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = tricks.before === undefined ? [] : [tricks.before];
  const central: Buffer[] = [];
  let offset = tricks.before?.length ?? 0;
  for (const [name, content, options = {}] of entries) {
    const stored = options.stored ?? content;
    const extra = options.extra ?? Buffer.alloc(0);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(options.flags ?? 0, 6);
    local.writeUInt16LE(options.method ?? 0, 8);
    local.writeUInt32LE(crc32(content), 14);
    local.writeUInt32LE(stored.length, 18);
    local.writeUInt32LE(options.size ?? content.length, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    local.writeUInt16LE(extra.length, 28);
    const directory = Buffer.alloc(46);
    directory.writeUInt32LE(0x02014b50, 0);
    local.copy(directory, 6, 4, 30);
    if (options.centralSize !== undefined) directory.writeUInt32LE(options.centralSize, 24);
    const centralName = options.centralName ?? name;
    directory.writeUInt16LE(Buffer.byteLength(centralName), 28);
    directory.writeUInt32LE(options.attributes ?? 0, 38);
    directory.writeUInt32LE(offset, 42);
    const gap = tricks.gap ?? Buffer.alloc(0);
    parts.push(local, Buffer.from(name), extra, stored, gap);
    offset += 30 + Buffer.byteLength(name) + extra.length + stored.length + gap.length;
    central.push(directory, Buffer.from(centralName), extra);
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(tricks.count ?? entries.length, 8);
  end.writeUInt16LE(tricks.count ?? entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...parts, directory, end]));
}

const open = (bytes: Uint8Array<ArrayBuffer>) => readContainer(memorySource(bytes, nodeHost), nodeHost);
const text = Buffer.from('some text');

async function refusal(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const result = await open(bytes);
  return result.ok ? 'accepted' : `${result.error.code}: ${result.error.message} ${result.error.place ?? ''}`;
}

describe('the container reader', () => {
  it('reads stored and deflated entries', async () => {
    const container = value(
      await open(
        zip([
          ['a.txt', text],
          ['b/c.txt', text, { method: 8, stored: deflateRawSync(text) }],
        ]),
      ),
    );
    expect(container.entries.map((entry) => entry.name)).toEqual(['a.txt', 'b/c.txt']);
    for (const entry of container.entries) {
      expect(Buffer.from(value(await container.read(entry)))).toEqual(text);
      expect(value(await container.digest(entry)).crcHolds).toBe(true);
    }
  });

  it('reads what another tool wrote, data descriptors included', async () => {
    const file = new yazl.ZipFile();
    file.addBuffer(text, 'stored.txt', { compress: false });
    file.addReadStream(Readable.from([text]), 'streamed.txt', { compress: false });
    file.addReadStream(Readable.from([text]), 'deflated.txt');
    file.end();
    const chunks: Buffer[] = [];
    for await (const chunk of file.outputStream) chunks.push(chunk as Buffer);
    const container = value(await open(new Uint8Array(Buffer.concat(chunks))));
    expect(container.entries).toHaveLength(3);
    for (const entry of container.entries) expect(Buffer.from(value(await container.read(entry)))).toEqual(text);
  });

  it.each([
    '../evil',
    'a/../../evil',
    '/etc/passwd',
    'C:/evil',
    'a\\b',
    '..\\evil',
    'a/./b',
    'con',
    'a/NUL.txt',
    'com1',
    'LPT9.log',
    'folder/',
    'a//b',
    'dot.',
    'a b',
    'ü.txt',
    'a:b',
    '',
    'x'.repeat(201),
    'nul\u0000byte',
  ])('refuses the name %j', async (name) => {
    expect(nameFault(name)).toBeDefined();
    expect(
      await refusal(
        zip([
          ['ok.txt', text],
          [name, text],
        ]),
      ),
    ).toContain('bundle.malformed: The name of an entry');
  });

  it('refuses names that are the same on some systems', async () => {
    expect(
      await refusal(
        zip([
          ['a.txt', text],
          ['a.txt', text],
        ]),
      ),
    ).toContain('same name');
    expect(
      await refusal(
        zip([
          ['a.txt', text],
          ['A.TXT', text],
        ]),
      ),
    ).toContain('same name');
  });

  it('refuses what readers could take differently', async () => {
    const unicodePath = Buffer.concat([Buffer.from([0x75, 0x70, 9, 0, 1, 0, 0, 0, 0]), Buffer.from('evil')]);
    const cases: [string, Uint8Array<ArrayBuffer>][] = [
      ['two names', zip([['a.txt', text, { centralName: 'b.txt' }]])],
      ['headers that differ', zip([['a.txt', text, { method: 8, stored: deflateRawSync(text), centralSize: 5 }]])],
      ['two sizes', zip([['a.txt', text, { size: 5 }]])],
      ['extra field', zip([['a.txt', text, { extra: unicodePath }]])],
      ['extra field is damaged', zip([['a.txt', text, { extra: Buffer.from([0x55, 0x54, 9]) }]])],
      ['symbolic link', zip([['a.txt', text, { attributes: (0o120777 << 16) >>> 0 }]])],
      ['encrypted', zip([['a.txt', text, { flags: 1 }]])],
      ['unknown compression', zip([['a.txt', text, { method: 12 }]])],
      [
        'Bytes lie between',
        zip(
          [
            ['a.txt', text],
            ['b.txt', text],
          ],
          { gap: Buffer.from('hidden') },
        ),
      ],
      ['Bytes lie between two', zip([['a.txt', text]], { before: Buffer.from('hidden') })],
      [
        'central directory',
        zip(
          [
            ['a.txt', text],
            ['b.txt', text],
          ],
          { count: 1 },
        ),
      ],
      ['central directory', zip([['a.txt', text]], { count: 2 })],
    ];
    for (const [words, bytes] of cases)
      expect(await refusal(bytes)).toMatch(new RegExp(`bundle.malformed: .*${words}`));
  });

  it('refuses bombs, by ratio and by what really comes out', async () => {
    const zeros = Buffer.alloc(10_000_000);
    expect(await refusal(zip([['bomb', zeros, { method: 8, stored: deflateRawSync(zeros) }]]))).toContain(
      'bundle.too-large',
    );
    const lying = value(await open(zip([['bomb', text, { method: 8, stored: deflateRawSync(zeros), size: 1000 }]])));
    const entry = lying.entries[0];
    if (entry === undefined) throw new Error('no entry');
    expect(await lying.read(entry)).toMatchObject({ ok: false, error: { code: 'bundle.malformed', place: 'bomb' } });
    expect(await refusal(zip([], { count: 0xffff }))).toContain('bundle.too-large');
  });

  it('refuses whatever is no container', async () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(21),
      new Uint8Array(5000),
      new TextEncoder().encode('PK\u0005\u0006'.padEnd(22, 'x')),
    ]) {
      expect(await refusal(bytes)).toContain('bundle.malformed');
    }
  });

  it('sees the same entries as yauzl in what it accepts', async () => {
    const bytes = zip([
      ['a.txt', text],
      ['b/c.txt', text],
    ]);
    const names = await new Promise<string[]>((resolve, reject) => {
      yauzl.fromBuffer(Buffer.from(bytes), { lazyEntries: false }, (error, file) => {
        if (error !== null) return reject(error);
        const found: string[] = [];
        file.on('entry', (entry: { fileName: string }) => found.push(entry.fileName));
        file.on('end', () => resolve(found));
      });
    });
    expect(value(await open(bytes)).entries.map((entry) => entry.name)).toEqual(names);
  });
});

describe('manifests', () => {
  const files = [
    { name: 'report.html', sha256: 'ab'.repeat(32) },
    { name: 'facts/2.json', sha256: '00'.repeat(32) },
  ];

  it('are read back, and in no other form than they are written', () => {
    const xml = renderManifest(1, files);
    expect(parseManifest(xml, 1)?.files).toEqual(files);
    expect(parseManifest(xml, 2)).toBeUndefined();
    for (const altered of [
      xml.replace('\n', '\r\n'),
      `${xml} `,
      xml.replace('<asic:SigReference', '<!-- --><asic:SigReference'),
      xml.replace('report.html', 'report.&#104;tml'),
      xml.replace('sha256', 'sha1'),
    ]) {
      expect(altered).not.toBe(xml);
      expect(parseManifest(altered, 1)).toBeUndefined();
    }
  });

  it('and sums likewise', () => {
    expect(parseSums(renderSums(files))).toEqual(files);
    for (const altered of [
      'x',
      'ab  name\n',
      `${renderSums(files)}\n`,
      renderSums(files).toUpperCase(),
      renderSums(files).slice(0, -1),
    ]) {
      expect(parseSums(altered)).toBeUndefined();
    }
  });

  it('carry digests in base64 as others compute it', () => {
    for (let length = 0; length < 50; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) & 255));
      expect(hexToBase64(bytes.toString('hex'))).toBe(bytes.toString('base64'));
      expect(Buffer.from(base64ToBytes(bytes.toString('base64')))).toEqual(bytes);
    }
  });
});
