const NAMES: Readonly<Record<number, string>> = {
  0x0300: 'SSL 3.0',
  0x0301: 'TLS 1.0',
  0x0302: 'TLS 1.1',
  0x0303: 'TLS 1.2',
  0x0304: 'TLS 1.3',
};

/**
 * Versions that a ClientHello record offers: the list of supported_versions, or else the highest one (RFC 8446 section
 * 4.2.1). Empty where the record is malformed. Never throws.
 */
export function offeredVersions(record: Buffer): string[] {
  try {
    // In the form of SSL 2.0 (RFC 5246 appendix E.2) it names the highest version only.
    if (record.readUInt8(0) >= 0x80 && record.readUInt8(2) === 1) {
      const highest = NAMES[record.readUInt16BE(3)];
      return highest === undefined ? [] : [highest];
    }
    if (record.readUInt8(0) !== 22 || record.readUInt8(5) !== 1) return [];
    const legacy = record.readUInt16BE(9);
    let offset = 43;
    offset += 1 + record.readUInt8(offset);
    offset += 2 + record.readUInt16BE(offset);
    offset += 1 + record.readUInt8(offset);
    const end = record.length > offset + 2 ? offset + 2 + record.readUInt16BE(offset) : offset;
    offset += 2;
    while (offset + 4 <= end) {
      const type = record.readUInt16BE(offset);
      const length = record.readUInt16BE(offset + 2);
      if (type === 43) {
        const list: string[] = [];
        for (let at = offset + 5; at + 2 <= offset + 4 + length; at += 2) {
          const name = NAMES[record.readUInt16BE(at)];
          if (name !== undefined) list.push(name);
        }
        return list;
      }
      offset += 4 + length;
    }
    const name = NAMES[legacy];
    return name === undefined ? [] : [name];
  } catch {
    return [];
  }
}
