import { crc32 } from 'node:zlib';

/** A ZIP whose entries are deflated; what is said of their content is taken from `content`, whatever `deflated` gives. */
export function deflatedZip(
  entries: readonly { readonly name: string; readonly content: Uint8Array; readonly deflated: Uint8Array }[],
): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  entries.forEach(({ name, content, deflated }, index) => {
    // The mimetype is stored, as every reader of such containers expects.
    const stored = index === 0;
    const data = stored ? content : deflated;
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(content), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(content.length, 8);
    const shared = Buffer.from([20, 0, 0, 0, stored ? 0 : 8, 0, 0, 0, 0x21, 0]);
    const lengths = Buffer.from([name.length & 0xff, name.length >> 8, 0, 0]);
    locals.push(Buffer.from('PK\x03\x04'), shared, sizes, lengths, Buffer.from(name), Buffer.from(data));
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), shared, sizes, lengths, place, Buffer.from(name));
    offset += 30 + name.length + data.length;
  });
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
