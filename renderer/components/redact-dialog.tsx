import { SquarePlus, Trash2 } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { PictureView } from '../../core/ipc.ts';
import { type AppError, fail, type Result } from '../../core/result.ts';
import { call } from '../api.ts';
import { type Box, middleBox } from '../lib/boxes.ts';
import { burnIn, decodePicture } from '../lib/burn-in.ts';
import { count } from '../lib/format.ts';
import { ActionDialog } from './action-dialog.tsx';
import { Button } from './button.tsx';
import { ErrorNote } from './note.tsx';
import { RedactPicture } from './redact-picture.tsx';
import { TickBox } from './tick-box.tsx';

const UNREADABLE = fail('input.malformed', 'This picture cannot be shown, so nothing can be covered in it.');

/** A chosen picture before it is attached: what it must not show is covered here, and never leaves this computer. */
export function RedactDialog({
  itemKey,
  picture,
  onClose,
}: {
  itemKey: string;
  picture: PictureView;
  onClose: () => void;
}) {
  const [bitmap, setBitmap] = useState<ImageBitmap>();
  const [boxes, setBoxes] = useState<readonly Box[]>([]);
  const [keepOriginal, setKeepOriginal] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  const help = useId();

  useEffect(() => {
    let gone = false;
    void decodePicture(picture.bytes, picture.type).then((decoded) => {
      if (gone) decoded?.close();
      else if (decoded === undefined) setUnreadable(true);
      else setBitmap(decoded);
    });
    return () => {
      gone = true;
    };
  }, [picture]);

  function add(): void {
    if (bitmap === undefined) return;
    setBoxes([...boxes, middleBox(bitmap)]);
    requestAnimationFrame(() => {
      const all = body.current?.querySelectorAll<HTMLElement>('[data-redact] button');
      all?.[all.length - 1]?.focus();
    });
  }
  async function attach(): Promise<Result<unknown, AppError>> {
    if (bitmap === undefined) return UNREADABLE;
    const redacted = boxes.length === 0 ? undefined : await burnIn(bitmap, boxes, picture.type);
    if (boxes.length > 0 && redacted === undefined) return UNREADABLE;
    const attached = await call('walk.attachPicture', {
      key: itemKey,
      picture: picture.picture.handle,
      boxes: boxes.length,
      keepOriginal,
      ...(redacted === undefined ? {} : { redacted }),
    });
    if (attached.ok) onClose();
    return attached;
  }

  return (
    <ActionDialog
      wide
      title="Cover what must not be seen"
      leave="Do not attach"
      label={boxes.length === 0 ? 'Attach without boxes' : `Attach with ${count(boxes.length, 'box', 'boxes')}`}
      ready={bitmap !== undefined}
      work={attach}
      onClose={onClose}
    >
      {() => (
        <div ref={body} className="grid gap-3">
          <p id={help} className="text-sm text-soft text-pretty">
            Draw boxes over patients, names and screens with the mouse. By keyboard: add a box, move it with the arrow
            keys, resize it with Shift and the arrow keys, remove it with Delete. Place, camera and owner are taken out
            in any case.
          </p>
          {bitmap === undefined ? null : (
            <RedactPicture picture={bitmap} boxes={boxes} onChange={setBoxes} describedBy={help} />
          )}
          <div className="flex flex-wrap items-center gap-2.5">
            <Button size="sm" icon={SquarePlus} isDisabled={bitmap === undefined} onPress={add}>
              Add a box
            </Button>
            <Button size="sm" kind="quiet" icon={Trash2} isDisabled={boxes.length === 0} onPress={() => setBoxes([])}>
              Remove all
            </Button>
            <span className="truncate text-xs text-faint">{picture.picture.name}</span>
          </div>
          <TickBox isSelected={keepOriginal} onChange={setKeepOriginal}>
            <span>
              Put the original into the bundle, too
              <span className="block text-soft">
                With all that it shows and says. Without this, only its digest is kept.
              </span>
            </span>
          </TickBox>
          {unreadable ? <ErrorNote error={UNREADABLE.error} /> : null}
        </div>
      )}
    </ActionDialog>
  );
}
