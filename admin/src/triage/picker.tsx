import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";

/** One thing to choose. `some`: part of what is meant has it. */
export interface Option<T> {
  value: T;
  label: string;
  face?: ComponentChildren;
  hint?: string;
  chosen: "yes" | "some" | "no";
}

interface PickerProps<T> {
  title: string;
  placeholder: string;
  options: readonly Option<T>[];
  onPick(value: T): void;
  onClose(): void;
  /** Makes an option of what is typed, where none has that name; null where it cannot be one. */
  create?: ((typed: string) => Option<T> | null) | undefined;
  /** What making it is called; a tag's words where it is not said. */
  made?(typed: string): string;
  /** Stays open, for more than one choice. */
  several?: boolean;
  /** Is closed by who picks, not by itself. */
  stays?: boolean;
  /** What stands there where there is nothing to choose. */
  empty?: string;
  testid: string;
}

/** Upper case, accents and what isolates a name do not count: who looks for "Rene" means René. */
const folded = (text: string): string => text.normalize("NFKD").replace(/[\p{M}\u2068\u2069]/gu, "").toLowerCase();

/** What fits what is typed, and at the end what can be made of it. */
function matching<T>(typed: string, options: readonly Option<T>[], create: PickerProps<T>["create"]): readonly Option<T>[] {
  const words = folded(typed.trim());
  const shown = options.filter(({ label, hint }) => folded(`${label} ${hint ?? ""}`).includes(words));
  const made = words && !options.some(({ label }) => label === typed.trim()) ? create?.(typed.trim()) : null;
  return made ? [...shown, made] : shown;
}

/** A list that is searched by typing and walked by the arrow keys. The focus stays in the field (WAI-ARIA combobox). */
export function Picker<T>({ title, placeholder, options, onPick, onClose, create, made = t.triage.create, several = false, stays = several, empty = t.triage.nothing, testid }: PickerProps<T>) {
  const typed = useSignal("");
  const at = useSignal(0);
  const id = useId();
  const box = useRef<HTMLUListElement>(null);
  const all = matching(typed.value, options, create);
  const current = Math.min(at.value, all.length - 1);

  useLayoutEffect(() => box.current?.querySelector("[data-current]")?.scrollIntoView({ block: "nearest" }), [current]);

  const pick = (option: Option<T> | undefined): void => {
    if (!option) return;
    // Closed first: what opens or moves next finds the focus where it was.
    if (!stays) onClose();
    onPick(option.value);
    typed.value = "";
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    // Not what was drawn: the keys may be quicker than the drawing.
    const list = matching(typed.peek(), options, create);
    const here = Math.min(at.peek(), list.length - 1);
    const step = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: list.length - 1 }[event.key];
    if (step !== undefined && list.length > 0) at.value = (step + list.length) % list.length;
    else if (event.key === "Enter") pick(list[here]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={title} onClose={onClose} testid={testid}>
      <div class="dialog-form choose">
        <input
          class="input"
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={all.length > 0 ? `${id}-${current}` : undefined}
          aria-autocomplete="list"
          aria-label={placeholder}
          placeholder={placeholder}
          maxLength={200}
          value={typed.value}
          data-testid="picker-input"
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            at.value = 0;
          }}
          onKeyDown={onKeyDown}
        />
        <ul ref={box} id={`${id}-list`} role="listbox" class="options" aria-label={title} aria-multiselectable={several}>
          {all.map((option, index) => (
            <li
              key={option.label}
              id={`${id}-${index}`}
              role="option"
              class="option"
              aria-selected={option.chosen === "yes"}
              data-current={index === current ? "" : undefined}
              data-option={option.label}
              onPointerMove={() => (at.value = index)}
              onClick={() => pick(option)}
            >
              {option.face}
              <bdi class="cut">{options.includes(option) ? option.label : made(option.label)}</bdi>
              {option.hint && <span class="faint cut">{option.hint}</span>}
              {option.chosen === "yes" && <Icon name="check" class="end" />}
              {option.chosen === "some" && <span class="end faint">{t.triage.some}</span>}
            </li>
          ))}
        </ul>
        {all.length === 0 && <p class="faint" role="status">{empty}</p>}
        {several && <footer class="dialog-foot"><button type="button" class="button" data-testid="picker-done" onClick={onClose}>{t.triage.done}</button></footer>}
      </div>
    </Dialog>
  );
}
