import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** Label, hint and error of a control. The error comes from the server and is read out with the control. */
interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** Draws the control with what ties it to its label, hint and error. */
  children(wiring: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean }): ComponentChildren;
}

/** The hint stays while there is an error: it mostly says how to mend it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  // Both are read out, hint first, in the order in which they stand.
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": Boolean(error) })}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

/** The attributes that our forms use; a wider type would admit the ones that break the wiring. */
interface TextFieldProps extends Omit<FieldProps, "children"> {
  value: string;
  onInput(value: string): void;
  input?: {
    type?: "text" | "email" | "password" | undefined;
    name?: string;
    autocomplete?: AutoFill;
    required?: boolean;
    minLength?: number | undefined;
    maxLength?: number;
    placeholder?: string | undefined;
    dir?: "auto" | "ltr";
    inputMode?: "numeric" | "text";
    readOnly?: boolean | undefined;
    spellcheck?: boolean;
  };
}

/** One line of text. Its value belongs to the form around it. */
export function TextField({ value, onInput, input = {}, ...field }: TextFieldProps) {
  const { type = "text", ...rest } = input;
  return (
    <Field {...field}>
      {(wiring) => <input type={type as "text"} {...rest} {...wiring} class="input" value={value} onInput={(event) => onInput(event.currentTarget.value)} />}
    </Field>
  );
}

interface ChoiceProps<T extends string> {
  legend: string;
  name: string;
  value: T;
  options: Readonly<Record<T, string>>;
  onPick(value: T): void;
  disabled?: boolean;
  hint?: string;
}

/** One of a few, all visible: radio buttons drawn as one bar. */
export function Choice<T extends string>({ legend, name, value, options, onPick, disabled = false, hint }: ChoiceProps<T>) {
  return (
    <fieldset class="field choice" disabled={disabled}>
      <legend>{legend}</legend>
      <div class="segments">
        {/* Radio buttons under the drawing: arrow keys, grouping and "2 of 3" come with them. */}
        {(Object.entries(options) as [T, string][]).map(([key, label]) => (
          <label class="segment" key={key}>
            <input type="radio" name={name} value={key} checked={value === key} onChange={() => onPick(key)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
      {hint && <p class="hint">{hint}</p>}
    </fieldset>
  );
}

/** On or off, at once: a checkbox says that something is chosen, a switch that something is running. */
interface SwitchProps {
  label: string;
  checked: boolean;
  onToggle(checked: boolean): void;
  hint?: string;
  disabled?: boolean;
  testid?: string;
}

/** Its effect is immediate, so it stands in no form that has to be sent, or the form says so with its save bar. */
export function Switch({ label, checked, onToggle, hint, disabled = false, testid }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch-field">
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={checked}
          disabled={disabled}
          aria-describedby={hint && id}
          data-testid={testid}
          onChange={(event) => onToggle(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      {hint && <p class="hint" id={id}>{hint}</p>}
    </div>
  );
}
