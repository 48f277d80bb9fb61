import { type Box, covered } from './boxes.ts';

const QUALITY = 0.92;

/** Decodes a picture; undefined when the browser cannot. */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(new Blob([bytes], { type }));
  } catch {
    // The caller says so, and offers nothing to burn in.
    return undefined;
  }
}

/**
 * The picture with black boxes in place of what they cover, encoded anew as `type`: nothing of what was below is left.
 * undefined when the browser cannot.
 */
export async function burnIn(
  picture: ImageBitmap,
  boxes: readonly Box[],
  type: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const canvas = document.createElement('canvas');
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  context.drawImage(picture, 0, 0);
  context.fillStyle = '#000';
  for (const { x, y, width, height } of boxes.map(covered)) context.fillRect(x, y, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY));
  return blob === null ? undefined : new Uint8Array(await blob.arrayBuffer());
}
