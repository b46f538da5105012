import type { Config, Kind, Strings } from "./config";
import { h, icon, type Child } from "./dom";
import { face, KINDS } from "./icons";
import type { Reading } from "./session";

export const MESSAGE_LENGTH = 5_000;

/** What the visitor has entered. It outlives the form: closing, another language or theme lose nothing. */
export interface Draft {
  message: string;
  kind?: Kind;
  rating?: number;
  email?: string;
  name?: string;
  /** The visitor lets support read along; only asked where the project wants it. */
  shared: boolean;
}

export interface Form {
  el: HTMLFormElement;
  focus(): void;
  /** Says at once what is wrong, marks the field it is about and moves focus there. */
  error(text: string, field?: string): void;
  reading(reading: Reading): void;
  busy(busy: boolean): void;
}

export interface FormOptions {
  config: Config;
  strings: Strings;
  draft: Draft;
  /** The message or the switch has changed. */
  onDraft(): void;
  onSubmit(): void;
}

export function createForm({ config, strings, draft, onDraft, onSubmit }: FormOptions): Form {
  const text = { "aria-describedby": "alert", dir: "auto" };
  const message = h("textarea", { id: "message", ...text, placeholder: config.texts.placeholder || strings.placeholder });
  const email = h("input", { id: "email", ...text, type: "email", autocomplete: "email" });
  const sharing = h("input", { id: "share", type: "checkbox", role: "switch" });
  const alert = h("p", { id: "alert", role: "alert" });
  // The panel's one polite region; it exists before it speaks, or screen readers miss the first words.
  const hints = h("div", { id: "hints", role: "status" });
  const submit = h("button", { id: "submit", class: "primary" });
  const kinds = config.kinds.filter((kind) => KINDS[kind]);
  const sign = (kind: Kind): Child[] => [icon(KINDS[kind]), strings[kind]];
  const mood = (n: number): Child[] => [icon(face(n)), h("span", { class: "sr" }, `${n}/5`)];

  const el = h(
    "form",
    { novalidate: "" },
    kinds.length > 1 && choice("kind", strings.kind, kinds, sign),
    h("div", {}, h("label", { for: "message" }, strings.message), message, hints),
    config.rating && choice("rating", strings.rating, [1, 2, 3, 4, 5], mood),
    config.ask_email &&
      h("div", {}, h("label", { for: "email" }, strings.email, h("small", {}, strings.emailHelp)), email),
    config.show_drafts && h("label", { class: "share" }, strings.draft, sharing),
    alert,
    submit,
  );

  function error(words: string, field?: string): void {
    alert.textContent = words;
    for (const input of [message, email]) input.ariaInvalid = `${input.id === field}`;
    el.querySelector<HTMLElement>(`#${field || "submit"}`)?.focus();
  }

  function busy(busy: boolean): void {
    submit.textContent = busy ? strings.sending : strings.submit;
    submit.ariaBusy = `${busy}`;
    message.readOnly = busy;
  }

  el.addEventListener("input", ({ target }) => {
    const { name, value } = target as HTMLInputElement;
    alert.textContent = "";
    (target as HTMLElement).ariaInvalid = "false";
    if (name === "kind") draft.kind = value as Kind;
    if (name === "rating") draft.rating = +value;
    draft.email = email.value.trim() || undefined;
    draft.message = message.value;
    draft.shared = sharing.checked;
    if (target === message || target === sharing) onDraft();
  });
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  message.value = draft.message;
  email.value = draft.email || "";
  sharing.checked = draft.shared;
  for (const input of el.querySelectorAll<HTMLInputElement>("[name]")) {
    input.checked = input.value === `${draft[input.name as "kind" | "rating"]}`;
  }
  busy(false);

  return {
    el,
    focus: () => message.focus(),
    error,
    reading(reading) {
      const words = (reading.hints || []).map((hint) => strings[`hint_${hint.code}` as "hint_secret"] || hint.message);
      hints.replaceChildren(...words.map((text) => h("p", {}, text)));
    },
    busy,
  };
}

/** One of several, as native radio buttons: arrow keys, forms mode and high contrast come with them. */
function choice<V extends string | number>(
  name: string,
  legend: string,
  values: V[],
  label: (value: V) => Child[],
): HTMLElement {
  const radio = (value: V) => h("input", { type: "radio", class: "sr", name, value: `${value}` });
  return h(
    "fieldset",
    { class: name },
    h("legend", {}, legend),
    ...values.map((value) => h("label", {}, radio(value), ...label(value))),
  );
}
