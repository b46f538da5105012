import type { Config, Kind } from "./config";
import { context, pageURL, type Visit } from "./context";
import { focusIsFree, h, icon, type Child } from "./dom";
import { face, KINDS } from "./icons";
import type { Feedback } from "./outbox";

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
  /** What programs write into a field that people do not see. */
  website?: string;
  files?: Attached[];
}

/** A file of a message. */
export interface Attached {
  name: string;
  /** From when it has arrived until it is taken away. */
  id?: string;
  /** Until one or the other; rejects with a Fault. */
  settled: Promise<unknown>;
}

/** Why a message cannot go out with its files, in the visitor's language, and where they can do something about it. */
export interface Fault {
  words: string;
  at: HTMLElement;
}

/** What goes out of what was entered. */
export function feedback({ message, kind, rating, email, name, website }: Partial<Draft>, { identity, ...page }: Visit): Feedback {
  return {
    page_url: pageURL(),
    message: (message || "").trim(),
    kind,
    rating: rating ? +rating : undefined,
    email: email?.trim() || page.user?.email,
    name: name || page.user?.name,
    context: context(page),
    identity,
    website,
    // Says that work may be asked for.
    proof: "",
  };
}

export interface Form {
  el: HTMLFormElement;
  /** Says at once what is wrong, marks the field it is about (the message unless it is the email) and moves focus there, or to `at`. */
  error(text: string, field?: string, at?: HTMLElement): void;
  /** Says what keeps a message from being sent. */
  faulty(feedback: Feedback): boolean;
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
  const email = h("input", { id: "email", name: "email", ...text, type: "email", autocomplete: "email", placeholder: " " });
  const sharing = h("input", { id: "share", name: "shared", type: "checkbox" });
  const alert = h("p", { id: "alert", role: "alert" });
  // The panel's one polite region; it exists before it speaks, or screen readers miss the first words.
  const hints = h("div", { id: "hints", role: "status" });
  const trap = h("input", { name: "website", class: "sr", tabindex: "-1", "aria-hidden": "true", autocomplete: "off" });
  const send = h("button", { id: "submit", class: "primary" });
  const kinds = config.kinds.filter((kind) => KINDS[kind]);
  const sign = (kind: Kind): Child[] => [icon(KINDS[kind]), strings[kind]];
  const mood = (n: number): Child[] => [icon(face(n)), h("span", { class: "sr" }, `${n}/5`)];

  const el = h(
    "form",
    { novalidate: "", input, submit },
    kinds.length > 1 && choice("kind", strings.kind, kinds, sign),
    h("div", {}, h("label", { for: "message" }, strings.message), message, hints, h("div", { class: "more" }), trap),
    config.rating && choice("rating", strings.rating, [1, 2, 3, 4, 5], mood),
    config.ask_email &&
      h("div", {}, h("label", { for: "email" }, strings.email, h("small", {}, strings.emailHelp)), email),
    config.show_drafts && h("label", { class: "share" }, strings.draft, sharing),
    h("div", { class: "foot" }, alert, send),
  );

  function error(words: string, field?: string, at?: HTMLElement): void {
    const faulty = at || (field === "email" ? email : message);
    alert.textContent = words;
    for (const input of [message, email]) input.ariaInvalid = `${input === faulty}`;
    if (focusIsFree()) faulty.focus();
  }

  function busy(busy: boolean): void {
    send.textContent = busy ? strings.sending : strings.submit;
    send.ariaBusy = `${busy}`;
    message.readOnly = busy;
  }

  function input({ target }: Event): void {
    const field = target as HTMLInputElement;
    alert.textContent = "";
    field.ariaInvalid = "false";
    Object.assign(draft, { [field.name]: field === sharing ? field.checked : field.value });
    if ((field as Element) === message || field === sharing) onDraft();
  }

  function submit(event: Event): void {
    event.preventDefault();
    onSubmit();
  }

  for (const input of el.querySelectorAll<HTMLInputElement>("[type=radio]")) {
    input.checked = input.value === `${draft[input.name as "kind" | "rating"]}`;
  }
  message.value = draft.message;
  email.value = draft.email || "";
  sharing.checked = draft.shared;

  function faulty({ message, email }: Feedback): boolean {
    if (!message) error(strings.hint_empty);
    else if ([...message].length > MESSAGE_LENGTH) error(strings.hint_too_long);
    else if (email && !/^\S+@\S+\.\S+$/.test(email)) error(strings.errEmail, "email");
    else return false;
    return true;
  }

  return {
    el,
    error,
    faulty,
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
