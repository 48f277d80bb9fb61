import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IconButton } from './button.tsx';

/** A modal dialog. Focus is kept inside and goes back where it was; Escape closes it where `onClose` is given. */
export function Dialog({
  title,
  open,
  onClose,
  children,
  footer,
  wide = false,
  alert = false,
}: {
  title: string;
  open: boolean;
  onClose?: () => void;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
  alert?: boolean;
}) {
  return (
    <ModalOverlay
      isOpen={open}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose?.();
      }}
      isDismissable={onClose !== undefined}
      isKeyboardDismissDisabled={onClose === undefined}
      className="fixed inset-0 z-40 flex items-center justify-center bg-scrim p-6"
    >
      <Modal
        className={`flex max-h-full w-full overflow-hidden rounded-xl border border-line bg-surface shadow-float ${wide ? 'max-w-[760px]' : 'max-w-[540px]'}`}
      >
        <AriaDialog role={alert ? 'alertdialog' : 'dialog'} className="flex min-h-0 w-full flex-col outline-none">
          <header className="flex shrink-0 items-start gap-3 px-5 pt-4 pb-2">
            <Heading slot="title" className="flex-1 text-lg font-semibold text-balance">
              {title}
            </Heading>
            {onClose === undefined ? null : <IconButton slot={null} label="Close" icon={X} onPress={onClose} />}
          </header>
          <Body>{children}</Body>
          {footer === undefined ? null : (
            <footer className="flex shrink-0 items-center justify-end gap-2.5 border-t border-line bg-sunken px-5 py-3">
              {footer}
            </footer>
          )}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Takes keyboard focus only while it scrolls, so that it can be scrolled without a mouse. */
function Body({ children }: { children: ReactNode }) {
  const body = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = body.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setScrolls(element.scrollHeight > element.clientHeight));
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      ref={body}
      tabIndex={scrolls ? 0 : undefined}
      className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-5 focus-visible:-outline-offset-2"
    >
      {children}
    </div>
  );
}
