import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface MenuProps {
  /** What the button shows, and thereby its name. */
  face: ComponentChildren;
  class?: string;
  testid?: string;
  /** Which edge of the button the menu is aligned with, in the direction of reading. */
  align?: "start" | "end";
  side?: "below" | "above";
  role?: "menu" | "dialog";
  children: ComponentChildren;
}

const margin = 8;

/** A button with a popover. The top layer keeps it above every pane; Esc and a click elsewhere are the browser's. */
export function Menu({ face, class: extra = "", testid, align = "start", side = "below", role = "menu", children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const box = panel.current;
    if (!box) return;
    // Set by hand: the browser opens and closes the popover, and no state of ours would know.
    const onToggle = (event: Event): void => {
      const open = (event as ToggleEvent).newState === "open";
      button.current?.setAttribute("aria-expanded", String(open));
      if (!open) return observer.disconnect();
      place();
      // What comes later has a size of its own, and a window may be turned while the menu is open.
      observer.observe(box);
      observer.observe(document.documentElement);
      // On what holds now: in a menu of states that is where the way to the others begins.
      (box.querySelector<HTMLElement>("[aria-checked=true]") ?? items(box)[0] ?? box).focus();
    };
    const place = (): void => {
      const from = button.current?.getBoundingClientRect();
      if (!from) return;
      // Anchor positioning would do this in the style sheet; not every browser that is in use has it.
      const rtl = getComputedStyle(box).direction === "rtl";
      const left = (align === "start") !== rtl ? from.left : from.right - box.offsetWidth;
      const top = side === "below" ? from.bottom + 4 : from.top - box.offsetHeight - 4;
      box.style.setProperty("left", `${clamp(left, innerWidth - box.offsetWidth)}px`);
      box.style.setProperty("top", `${clamp(top, innerHeight - box.offsetHeight)}px`);
    };
    const observer = new ResizeObserver(place);
    box.addEventListener("toggle", onToggle);
    return () => {
      observer.disconnect();
      box.removeEventListener("toggle", onToggle);
    };
  }, [align, side]);

  return (
    <>
      <button
        ref={button}
        type="button"
        class={extra}
        popovertarget={id}
        aria-haspopup={role}
        aria-expanded="false"
        aria-controls={id}
        id={`${id}-button`}
        data-testid={testid}
      >
        {face}
      </button>
      {/* "auto" closes others and itself, on Esc and on a click elsewhere, and gives the focus back to the button. */}
      <div ref={panel} id={id} popover="auto" class="menu" role={role} aria-labelledby={`${id}-button`} onKeyDown={(event) => walk(event, panel.current)}>
        {children}
      </div>
    </>
  );
}

/** Keeps a menu on the screen, a margin away from its edge. */
function clamp(value: number, limit: number): number {
  return Math.max(margin, Math.min(value, limit - margin));
}

/** What the arrow keys walk through, in the order of the document. */
function items(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>("[role^=menuitem], a[href], button, input")];
}

/** Arrow keys as in any menu. A `dialog` keeps them for its own controls. */
function walk(event: KeyboardEvent, box: HTMLDivElement | null): void {
  const all = box ? items(box) : [];
  const at = all.indexOf(document.activeElement as HTMLElement);
  // Past either end it goes on at the other, as menus do.
  const step = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (step === undefined || all.length === 0 || box?.getAttribute("role") !== "menu") return;
  event.preventDefault();
  all[step % all.length]?.focus();
}

interface MenuItemProps {
  children: ComponentChildren;
  onPick(): void;
  checked?: boolean;
  danger?: boolean;
  testid?: string;
}

/** Closes its menu before it acts, so that what opens next finds the focus where it was. */
export function MenuItem({ children, onPick, checked, danger = false, testid }: MenuItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={checked}
      tabIndex={-1}
      class={danger ? "menu-item danger" : "menu-item"}
      data-testid={testid}
      onClick={(event) => {
        event.currentTarget.closest<HTMLElement>("[popover]")?.hidePopover();
        onPick();
      }}
    >
      {children}
    </button>
  );
}
