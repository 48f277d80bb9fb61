import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { fail, ok, type Result } from '../../core/result.ts';
import { checkSite } from '../../core/site/check.ts';
import type { Site } from '../../core/site/schema.ts';

/** Site files and the PEM files beside them are small; anything larger is a mistake. */
const MAX_FILE_BYTES = 1_000_000;

/** A site in its two forms. */
export type LoadedSite = {
  /** The file it was read from. */
  readonly path: string;
  /** For probes: PEM inlined, paths of trial keys absolute. Never written anywhere. */
  readonly site: Site;
  /** For plan, journal and bundle: PEM inlined, file names without folders. */
  readonly sealed: Site;
  /** `sealed` as YAML, the site.yaml of session and bundle. */
  readonly text: string;
  /** SHA-256 of `text` in UTF-8, hex. */
  readonly sha256: string;
};

/**
 * Reads a site file and everything it names. Every file must lie where the site says and hold PEM.
 * Errors: `input.not-found`, `input.too-large`, `site.invalid` with every fault as `line:column path: message` in the cause.
 */
export async function loadSite(path: string): Promise<Result<LoadedSite>> {
  const text = await readSmallFile(path, 'site file');
  if (!text.ok) return text;
  const { site: parsed, faults: found } = checkSite(text.value);
  if (parsed === undefined || found.length > 0) {
    const faults = found.map(
      (fault) => `${path}:${fault.line}:${fault.column} ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`,
    );
    return fail('site.invalid', `The site file has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`, {
      place: path,
      cause: faults.join('\n'),
    });
  }
  const folder = dirname(resolve(path));
  const inlined = await inlineFiles(parsed, folder);
  if (!inlined.ok) return inlined;
  const site: Site = {
    ...inlined.value,
    identities: inlined.value.identities.map((identity) => ({
      ...identity,
      certificate: resolve(folder, identity.certificate),
      key: resolve(folder, identity.key),
    })),
  };
  return ok({ path: resolve(path), site, ...sealSite(inlined.value) });
}

/** The form of a site that may leave the laptop: no folders, everything else inline. */
function sealSite(site: Site): { sealed: Site; text: string; sha256: string } {
  const sealed: Site = {
    ...site,
    identities: site.identities.map((identity) => ({
      ...identity,
      certificate: basename(identity.certificate),
      key: basename(identity.key),
    })),
  };
  const text = stringify(sealed, { lineWidth: 0, aliasDuplicateObjects: false });
  return { sealed, text, sha256: createHash('sha256').update(text, 'utf8').digest('hex') };
}

async function inlineFiles(site: Site, folder: string): Promise<Result<Site>> {
  const anchors: Site['anchors'] = [];
  for (const anchor of site.anchors) {
    if (anchor.pem !== undefined) {
      anchors.push(anchor);
      continue;
    }
    const pem = await readPem(anchor.file ?? '', folder, `anchor ${anchor.id}`);
    if (!pem.ok) return pem;
    anchors.push({ id: anchor.id, pem: pem.value });
  }
  const links: Site['links'] = [];
  for (const link of site.links) {
    if (link.pinned === undefined) {
      links.push(link);
      continue;
    }
    const pem = await readPem(link.pinned, folder, `pinned certificate of link ${link.id}`);
    if (!pem.ok) return pem;
    links.push({ ...link, pinned: pem.value });
  }
  const devices: Site['devices'] = [];
  for (const device of site.devices) {
    if (device.certificate === undefined) {
      devices.push(device);
      continue;
    }
    const pem = await readPem(device.certificate, folder, `certificate of device ${device.id}`);
    if (!pem.ok) return pem;
    devices.push({ ...device, certificate: pem.value });
  }
  return ok({ ...site, anchors, links, devices });
}

async function readPem(name: string, folder: string, what: string): Promise<Result<string>> {
  // Inlined already, as in a site.yaml taken from a session.
  if (name.includes('-----BEGIN CERTIFICATE-----')) return ok(name);
  const path = resolve(folder, name);
  const text = await readSmallFile(path, what);
  if (!text.ok) return text;
  if (text.value.includes('PRIVATE KEY'))
    return fail('site.invalid', `The file for ${what} holds a private key; give the certificate only.`, {
      place: path,
    });
  if (!text.value.includes('-----BEGIN CERTIFICATE-----'))
    return fail('site.invalid', `The file for ${what} is not a PEM certificate.`, { place: path });
  return text;
}

/** Reads a small UTF-8 text file. Errors: `input.not-found`, `input.too-large`, `input.malformed` (not UTF-8). */
export async function readSmallFile(
  path: string,
  what: string,
  most: number = MAX_FILE_BYTES,
): Promise<Result<string>> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return fail('input.not-found', `The ${what} is not a file.`, { place: path });
    if (info.size > most) return fail('input.too-large', `The ${what} is larger than ${most} bytes.`, { place: path });
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return fail('input.not-found', `There is no ${what} here.`, { place: path });
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return fail('input.malformed', `The ${what} is not valid UTF-8.`, { place: path });
    return fail('input.malformed', `The ${what} cannot be read.`, { place: path, cause: message });
  }
}
