import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { type Box, boxBetween, LEAST, moved, resized } from '../lib/boxes.ts';

type Drag = {
  readonly kind: 'draw' | 'move' | 'resize';
  readonly index: number;
  readonly x: number;
  readonly y: number;
};

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** As it will be burnt in, with a rim that shows on dark pictures; no theme changes it. */
const COVER = { backgroundColor: '#000', boxShadow: '0 0 0 1px rgb(255 255 255 / 0.8)' };
/** Part of the picture's longer side that an arrow key goes. */
const STEP = 0.01;

/** A picture with boxes over it: drawn, moved and resized with the mouse, or with the arrow keys. */
export function RedactPicture({
  picture,
  boxes,
  onChange,
  describedBy,
}: {
  picture: ImageBitmap;
  boxes: readonly Box[];
  onChange: (boxes: readonly Box[]) => void;
  describedBy: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag>();
  useEffect(() => {
    canvas.current?.getContext('2d')?.drawImage(picture, 0, 0);
  }, [picture]);

  const pointOf = (event: PointerEvent) => {
    const frame = area.current?.getBoundingClientRect();
    if (frame === undefined || frame.width === 0) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - frame.left) / frame.width) * picture.width,
      y: ((event.clientY - frame.top) / frame.height) * picture.height,
    };
  };
  const replace = (index: number, box: Box) => onChange(boxes.map((each, at) => (at === index ? box : each)));
  const remove = (index: number) => onChange(boxes.filter((_, at) => at !== index));

  function start(event: PointerEvent, kind: Drag['kind'], index: number): void {
    if (event.button !== 0) return;
    event.stopPropagation();
    area.current?.setPointerCapture(event.pointerId);
    const point = pointOf(event);
    if (kind === 'draw') onChange([...boxes, { ...point, width: 0, height: 0 }]);
    setDrag({ kind, index, ...point });
  }
  function go(event: PointerEvent): void {
    const box = drag === undefined ? undefined : boxes[drag.index];
    if (drag === undefined || box === undefined) return;
    const point = pointOf(event);
    if (drag.kind === 'draw') {
      replace(drag.index, boxBetween(drag, point, picture));
      return;
    }
    const change = drag.kind === 'move' ? moved : resized;
    replace(drag.index, change(box, point.x - drag.x, point.y - drag.y, picture));
    setDrag({ ...drag, ...point });
  }
  function end(): void {
    const box = drag === undefined ? undefined : boxes[drag.index];
    if (drag?.kind === 'draw' && box !== undefined && (box.width < LEAST || box.height < LEAST)) remove(drag.index);
    setDrag(undefined);
  }
  function press(event: KeyboardEvent, index: number): void {
    const box = boxes[index];
    if (box === undefined) return;
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      const next = event.currentTarget.nextElementSibling ?? event.currentTarget.previousElementSibling;
      if (next instanceof HTMLElement) next.focus();
      remove(index);
      return;
    }
    const arrow = ARROWS[event.key];
    if (arrow === undefined) return;
    event.preventDefault();
    const step = Math.max(1, Math.max(picture.width, picture.height) * STEP);
    const change = event.shiftKey ? resized : moved;
    replace(index, change(box, arrow[0] * step, arrow[1] * step, picture));
  }
  const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;

  return (
    <div className="flex justify-center rounded-md border border-line bg-sunken p-2">
      <div
        ref={area}
        data-redact
        className="relative inline-block cursor-crosshair touch-none select-none"
        onPointerDown={(event) => start(event, 'draw', boxes.length)}
        onPointerMove={go}
        onPointerUp={end}
        onPointerCancel={end}
      >
        <canvas
          ref={canvas}
          width={picture.width}
          height={picture.height}
          role="img"
          aria-label={`The chosen picture, ${picture.width} by ${picture.height} pixels`}
          className="block max-h-[46vh] max-w-full"
        />
        {boxes.map((box, index) => (
          <button
            // Boxes have no name of their own, and their number is what a person is told.
            key={index}
            type="button"
            aria-label={`Box ${index + 1} of ${boxes.length}`}
            aria-describedby={describedBy}
            className="absolute cursor-move focus-visible:outline-2 focus-visible:outline-offset-2 focus-visible:outline-accent"
            style={{
              ...COVER,
              left: percent(box.x, picture.width),
              top: percent(box.y, picture.height),
              width: percent(box.width, picture.width),
              height: percent(box.height, picture.height),
            }}
            onPointerDown={(event) => start(event, 'move', index)}
            onKeyDown={(event) => press(event, index)}
          >
            <span
              aria-hidden
              className="absolute -right-1.5 -bottom-1.5 size-3 cursor-nwse-resize rounded-sm border border-surface bg-accent"
              onPointerDown={(event) => start(event, 'resize', index)}
            />
          </button>
        ))}
      </div>
    </div>
  );
}
