import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { explainEntry, fieldErrors } from "../entry/explain";
import { TextField } from "./field";

type Fields = Readonly<Record<string, string>>;

interface FieldOptions {
  label: string;
  hint?: string | undefined;
  type?: "text" | "email" | "password";
  autocomplete?: AutoFill;
  optional?: boolean;
  minLength?: number;
  maxLength?: number;
  placeholder?: string;
  inputMode?: "numeric" | "text";
  readOnly?: boolean;
}

interface FormOptions<F extends Fields> {
  /** Sends it. What it throws is said beside the fields, or below them. */
  send(fields: F): Promise<void>;
  /** Other words for a refusal; null leaves it to the usual ones. */
  refusal?(cause: unknown): string | null;
  /** The first field takes the focus. Not in a dialog, which does so itself. */
  focus?: boolean;
}

/** A small form: what is typed, what the server says of it, and one submission at a time. */
export function useForm<F extends Fields>(blank: F, { send, refusal, focus = false }: FormOptions<F>) {
  const fields = useSignal(blank);
  const errors = useSignal<Partial<Record<string, string>>>({});
  const failure = useSignal("");
  const busy = useSignal(false);
  const ref = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (focus) ref.current?.querySelector<HTMLInputElement>("input:not([readonly])")?.focus();
  }, []);

  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // Busy and not disabled: a disabled button would lose the focus.
    if (busy.value) return;
    busy.value = true;
    errors.value = {};
    failure.value = "";
    try {
      await send(fields.value);
    } catch (cause) {
      const said = refusal?.(cause) ?? null;
      errors.value = said === null ? fieldErrors(cause, Object.keys(fields.value)) : {};
      failure.value = said ?? (Object.keys(errors.value).length > 0 ? "" : explainEntry(cause));
      // To where it has to be mended; the error is read out with its field.
      requestAnimationFrame(() => ref.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
    } finally {
      busy.value = false;
    }
  };

  const field = (name: keyof F & string, { label, hint, optional = false, type = "text", ...input }: FieldOptions): ComponentChildren => (
    <TextField
      label={label}
      hint={hint}
      error={errors.value[name]}
      value={fields.value[name] ?? ""}
      onInput={(value) => (fields.value = { ...fields.value, [name]: value })}
      input={{ ...input, type, name, required: !optional, spellcheck: false }}
    />
  );

  return {
    fields,
    field,
    busy: busy.value,
    form: { ref, onSubmit },
    /** For what is no text field. */
    errors: errors.value,
    failure: failure.value && <p class="banner bad" role="alert" data-testid="form-failure">{failure.value}</p>,
    clear: () => void (fields.value = blank),
  };
}
