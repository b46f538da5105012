import type { Config, Kind } from "./config";
import { focusIsFree, h, icon, type Child } from "./dom";
import { face, KINDS } from "./icons";
import type { Reading } from "./session";

export const MESSAGE_LENGTH = 5_000;

/** What the visitor has entered. It outlives the form: closing, another language or theme lose nothing. */
export interface Draft {
  message: string;
  kind?: Kind;
  /** 1 to 5; as the text of its field once it was touched there. */
  rating?: number | string;
  email?: string;
  name?: string;
  /** The visitor lets support read along; only asked where the project wants it. */
  shared: boolean;
}

export interface Form {
  el: HTMLFormElement;
  /** Says at once what is wrong, marks the field it is about (the message unless it is the email) and moves focus there. */
  error(text: string, field?: string): void;
  reading(reading: Reading): void;
  busy(busy: boolean): void;
}

export interface FormOptions {
  config: Config;
  draft: Draft;
  /** The message or the switch has changed. */
  onDraft(): void;
  onSubmit(): void;
}

export function createForm({ config, draft, onDraft, onSubmit }: FormOptions): Form {
  const { strings } = config;
  const text = { "aria-describedby": "alert", dir: "auto" };
  const placeholder = config.texts.placeholder || strings.placeholder;
  const message = h("textarea", { id: "message", name: "message", ...text, placeholder });
  const email = h("input", { id: "email", name: "email", ...text, type: "email", autocomplete: "email" });
  const sharing = h("input", { id: "share", name: "shared", type: "checkbox", role: "switch" });
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
    const faulty = field === "email" ? email : message;
    alert.textContent = words;
    for (const input of [message, email]) input.ariaInvalid = `${input === faulty}`;
    if (focusIsFree()) faulty.focus();
  }

  function busy(busy: boolean): void {
    submit.textContent = busy ? strings.sending : strings.submit;
    submit.ariaBusy = `${busy}`;
    message.readOnly = busy;
  }

  el.addEventListener("input", (event) => {
    const input = event.target as HTMLInputElement;
    alert.textContent = "";
    input.ariaInvalid = "false";
    Object.assign(draft, { [input.name]: input === sharing ? input.checked : input.value });
    if ((input as Element) === message || input === sharing) onDraft();
  });
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  for (const input of el.querySelectorAll<HTMLInputElement>("[type=radio]")) {
    input.checked = input.value === `${draft[input.name as "kind" | "rating"]}`;
  }
  message.value = draft.message;
  email.value = draft.email || "";
  sharing.checked = draft.shared;

  return {
    el,
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
