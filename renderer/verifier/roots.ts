import { sha256Hex } from '../../core/bundle/host.ts';
import { certificatesFromPem, commonName } from '../../core/bundle/trust.ts';
import { browserHost } from './browser-host.ts';

export type Root = {
  readonly pem: string;
  readonly name: string;
  /** SHA-256 of the certificate, in pairs, as browsers and Windows show it. */
  readonly fingerprint: string;
};

/** Root certificates of a file, in PEM or DER. Throws, with a sentence for a person, when there is none that can be read. */
export async function readRoots(file: File): Promise<Root[]> {
  if (file.size > 1024 ** 2) throw new Error(`${file.name} is too large for a certificate.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const pems = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [pemOf(bytes)];
  const roots: Root[] = [];
  for (const pem of pems) {
    let name: string;
    let der: Uint8Array<ArrayBuffer>;
    try {
      const [certificate] = certificatesFromPem(pem);
      if (certificate === undefined) throw new Error('empty');
      name = commonName(certificate);
      der = new Uint8Array(certificate.toSchema().toBER());
    } catch (cause) {
      throw new Error(`${file.name} holds no certificate that can be read.`, { cause });
    }
    const hex = (await sha256Hex(browserHost.webCrypto, der)).toUpperCase();
    roots.push({ pem, name, fingerprint: (hex.match(/../g) ?? []).join(':') });
  }
  return roots;
}

function pemOf(der: Uint8Array): string {
  const base64 = btoa(Array.from(der, (byte) => String.fromCharCode(byte)).join(''));
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`;
}
