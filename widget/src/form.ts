import type { Config, Kind, Strings } from "./config";
import { h, icon, type Child } from "./dom";
import { EYE, face, KINDS } from "./icons";
import { format } from "./locale";
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
  destroy(): void;
  focus(): void;
  /** Marks the field that an error speaks of, says it at once and moves focus there. */
  error(text: string, field?: string): void;
  reading(reading: Reading): void;
  busy(busy: boolean): void;
}

export interface FormOptions {
  config: Config;
  strings: Strings;
  draft: Draft;
  onInput(): void;
  onSubmit(): void;
  /** Tells a screen reader, politely. */
  say(text: string): void;
}

export function createForm({ config, strings, draft, onInput, onSubmit, say }: FormOptions): Form {
  const message = h("textarea", {
    id: "m",
    rows: "4",
    dir: "auto",
    placeholder: config.texts.placeholder || strings.placeholder,
    "aria-describedby": "h",
    "data-part": "message",
  });
  message.value = draft.message;
  const email = h("input", {
    id: "e",
    type: "email",
    autocomplete: "email",
    dir: "ltr",
    "aria-describedby": "eh",
    "data-part": "email",
  });
  email.value = draft.email || "";
  const sharing = h("input", { id: "s", type: "checkbox", role: "switch", "data-part": "share" });
  sharing.checked = draft.shared;
  const alert = h("p", { id: "x", class: "alert", role: "alert", "data-part": "alert" });
  const hints = h("div", { id: "h", class: "hints", "data-part": "hints" });
  const submit = h("button", { type: "submit", class: "primary", "data-part": "submit" }, strings.submit);
  const kinds = config.kinds.filter((kind) => kind in KINDS);
  const kind = (name: Kind): Child[] => [icon(KINDS[name]), strings[name]];

  const el = h(
    "form",
    { novalidate: "", "data-part": "form" },
    kinds.length > 1 && choice("kind", "kinds", strings.kind, kinds.map((name) => [name, kind(name)])),
    h("div", { class: "field" }, h("label", { for: "m" }, strings.message), message, hints),
    config.rating &&
      choice("rating", "faces", strings.rating, [1, 2, 3, 4, 5].map((n) => [
        String(n),
        [icon(face(n)), h("span", { class: "sr" }, strings[`rating${n}` as "rating1"])],
      ])),
    config.ask_email &&
      h(
        "div",
        { class: "field" },
        h("label", { for: "e" }, strings.email, h("small", {}, strings.optional)),
        email,
        h("small", { id: "eh" }, strings.emailHelp),
      ),
    config.show_drafts &&
      h("label", { class: "share", "data-part": "disclosure" }, icon(EYE), h("span", {}, strings.draft), sharing),
    alert,
    submit,
  );

  const fields = { message, email };
  function clearError(): void {
    alert.textContent = "";
    message.removeAttribute("aria-invalid");
    email.removeAttribute("aria-invalid");
    message.setAttribute("aria-describedby", "h");
    email.setAttribute("aria-describedby", "eh");
  }

  function radio(name: string): string | undefined {
    return el.querySelector<HTMLInputElement>(`[name=${name}]:checked`)?.value;
  }

  function select(name: string, value?: string | number): void {
    for (const input of el.querySelectorAll<HTMLInputElement>(`[name=${name}]`)) input.checked = input.value === String(value);
  }

  el.addEventListener("input", () => {
    clearError();
    draft.message = message.value;
    draft.email = email.value.trim() || undefined;
    draft.shared = sharing.checked;
    draft.kind = (radio("kind") as Kind | undefined) || draft.kind;
    draft.rating = Number(radio("rating")) || undefined;
    onInput();
  });
  el.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) onSubmit();
  });
  select("kind", draft.kind);
  select("rating", draft.rating);

  return {
    el,
    destroy: () => el.remove(),
    focus: () => message.focus(),
    error(text, field) {
      clearError();
      alert.textContent = text;
      const input = fields[field as keyof typeof fields];
      if (!input) return;
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", "x");
      input.focus();
    },
    reading(reading) {
      const likely = kinds.find((name) => name === reading.kind);
      const texts = (reading.hints || []).map(
        ({ code, message }) => h("p", {}, strings[`hint_${code}` as keyof Strings] || message),
      );
      hints.replaceChildren(...texts);
      say(texts.map((p) => p.textContent).join(" "));
      if (!likely || draft.kind || texts.length) return;
      const suggestion = h("button", { type: "button", "data-part": "suggestion" });
      suggestion.append(icon(KINDS[likely]), format(strings.suggest, { kind: strings[likely] }));
      suggestion.addEventListener("click", () => {
        draft.kind = likely;
        select("kind", likely);
        hints.replaceChildren();
        message.focus();
      });
      hints.append(suggestion);
    },
    busy(busy) {
      submit.textContent = busy ? strings.sending : strings.submit;
      if (busy) say(strings.sending);
      message.readOnly = busy;
      submit.toggleAttribute("data-busy", busy);
      el.setAttribute("aria-busy", String(busy));
    },
  };
}

/** One of several, as native radio buttons: arrow keys, forms mode and high contrast come with them. */
function choice(name: string, css: string, legend: string, options: [value: string, label: Child[]][]): HTMLElement {
  return h(
    "fieldset",
    { class: css },
    h("legend", {}, legend),
    ...options.map(([value, label]) =>
      h("label", { "data-part": `${name}-${value}` }, h("input", { type: "radio", name, value, class: "sr" }), ...label),
    ),
  );
}
