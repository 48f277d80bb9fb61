/** A box over part of a picture, in pixels of the picture. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
export type Size = { readonly width: number; readonly height: number };

/** Smallest side of a box: what is smaller was a slip of the mouse. */
export const LEAST = 4;

/** A box of which two corners are given, within the picture. */
export function boxBetween(a: { x: number; y: number }, b: { x: number; y: number }, picture: Size): Box {
  const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)].map((x) => clamp(x, 0, picture.width));
  const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)].map((y) => clamp(y, 0, picture.height));
  const [x = 0, y = 0] = [left, top];
  return { x, y, width: (right ?? 0) - x, height: (bottom ?? 0) - y };
}

/** The box elsewhere, of the same size, as far as the picture goes. */
export function moved(box: Box, dx: number, dy: number, picture: Size): Box {
  return {
    ...box,
    x: clamp(box.x + dx, 0, picture.width - box.width),
    y: clamp(box.y + dy, 0, picture.height - box.height),
  };
}

/** The box with its lower right corner elsewhere. */
export function resized(box: Box, dx: number, dy: number, picture: Size): Box {
  return {
    ...box,
    width: clamp(box.width + dx, LEAST, picture.width - box.x),
    height: clamp(box.height + dy, LEAST, picture.height - box.y),
  };
}

/** A first box, in the middle, for those who do not use a mouse. */
export function middleBox({ width, height }: Size): Box {
  return {
    x: width * 0.4,
    y: height * 0.4,
    width: Math.max(LEAST, width * 0.2),
    height: Math.max(LEAST, height * 0.2),
  };
}

/** Every pixel that the box touches. */
export function covered(box: Box): Box {
  const [x, y] = [Math.floor(box.x), Math.floor(box.y)];
  return { x, y, width: Math.ceil(box.x + box.width) - x, height: Math.ceil(box.y + box.height) - y };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
