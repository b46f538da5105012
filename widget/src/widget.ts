import type { Config, Kind, Strings } from "./config";
import { context, pageURL, type PageContext } from "./context";
import { createDelivery, type Outcome } from "./delivery";
import { h, icon } from "./dom";
import type { Emitter } from "./emitter";
import { MESSAGE_LENGTH, type Draft } from "./form";
import { createHost } from "./host";
import { KINDS, SPEECH } from "./icons";
import { format, LAUNCHER, loadStrings, pickLanguage } from "./locale";
import { createOutbox, type Feedback } from "./outbox";
import { createPanel, type Panel } from "./panel";
import { createSession } from "./session";
import { createWaker } from "./waker";

/** Quiet time after a keystroke before the draft is sent; well under the server's five a second. */
const DRAFT_PAUSE_MS = 400;
/** How long the panel waits for its language before it opens in the one at hand. */
const LANGUAGE_WAIT_MS = 150;

export type Widget = ReturnType<typeof createWidget>;
type Shown = Exclude<Outcome, { state: "refused" }>;

export interface WidgetOptions {
  config: Config;
  /** Completes the configuration in place. It may ask the server, so it runs only once the visitor acts. */
  complete(): Promise<unknown>;
  emitter: Emitter;
  page: PageContext;
  nonce?: string;
}

export function createWidget({ config, complete, emitter, page, nonce }: WidgetOptions) {
  const host = createHost(config, nonce);
  const outbox = createOutbox(`earshot:${config.key}`, () => (config.storage === "off" ? undefined : localStorage));
  const session = createSession(config, outbox.token, (reading) => panel?.form()?.reading(reading));
  const delivery = createDelivery(config, outbox, session, emitter);
  const draft: Draft = { message: "", shared: true };
  let lang = pickLanguage(config.locale);
  let strings: Strings | undefined;
  let panel: Panel | undefined;
  let shown: Shown | undefined;
  let opened = false;
  let sending = false;
  let opener: HTMLElement | null = null;
  /** An undeliverable entry whose text is in the form; it leaves the outbox when the visitor has dealt with it. */
  let undelivered: string | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;

  const label = h("span");
  const launcher = h(
    "button",
    { type: "button", class: "launcher", "aria-haspopup": "dialog", "data-part": "launcher" },
    icon(SPEECH),
    label,
  );
  launcher.hidden = config.trigger === "none";
  launcher.addEventListener("click", () => void open());
  host.root.append(launcher);
  dress();

  const waker = createWaker(config, {
    open: (kind, from) => void open(kind, from),
    flush: () => void delivery.flush(true),
    leave: () => session.close(true),
    back: () => opened && session.open(),
  });
  const onSent = ({ detail }: CustomEvent) => {
    if (shown?.state === "kept" && shown.id === detail.id) present({ state: "sent", id: detail.id });
  };
  emitter.on("sent", onSent);

  function dress(): void {
    host.locale(lang);
    label.textContent = config.texts.launcher || LAUNCHER[lang]!;
    launcher.setAttribute("aria-expanded", String(opened));
  }

  function build(): void {
    panel?.destroy();
    panel = createPanel({ config, strings: strings!, draft, onInput, onSubmit, onAgain, onClose: close });
    panel.el.hidden = !opened;
    if (shown) panel.show(shown);
    panel.form()?.busy(sending);
    host.root.append(panel.el);
  }

  /** Resolves when the panel can be built; a language that comes late replaces the one at hand. */
  async function speak(wanted: string): Promise<void> {
    lang = wanted;
    const loaded = loadStrings(config, lang).then((next) => {
      if (lang !== wanted || strings === next) return;
      strings = next;
      dress();
      if (panel) build();
      if (opened) panel?.focus();
    });
    const late = new Promise((resolve) => setTimeout(resolve, strings || config.strings ? LANGUAGE_WAIT_MS : 15_000));
    await Promise.race([loaded.catch(() => {}), late]);
    strings ||= config.strings;
  }

  async function open(kind?: string, from?: Element | null): Promise<void> {
    if (opened || !emitter.emit("open", { kind })) return;
    opened = true;
    opener = (from || document.activeElement) as HTMLElement | null;
    try {
      await complete();
      if (strings?.lang !== lang) await speak(pickLanguage(config.locale));
      if (!strings) throw new Error("no strings");
    } catch (error) {
      opened = false;
      emitter.emit("error", { code: "unavailable", message: String(error) });
      return;
    }
    if (!opened) return;
    if (kind && kind in KINDS) draft.kind = kind as Kind;
    if (!panel || kind) {
      opened = false;
      build();
      // The style of the closed panel has to be computed once, or there is nothing to animate from.
      panel!.el.getBoundingClientRect();
      opened = true;
    }
    panel!.el.hidden = false;
    dress();
    host.engage(true);
    session.open();
    panel!.focus();
    recall();
  }

  /** Brings back what could not be delivered: nothing is swallowed. */
  function recall(): void {
    const entry = outbox.failed();
    if (!entry || draft.message || shown) return;
    undelivered = entry.id;
    Object.assign(draft, entry.body);
    build();
    panel!.form()?.error(strings!.errUndelivered, "message");
  }

  function settled(): void {
    if (undelivered) outbox.remove(undelivered);
    undelivered = undefined;
  }

  function close(): void {
    if (!opened) return;
    opened = false;
    if (panel) panel.el.hidden = true;
    dress();
    host.engage(false);
    session.close();
    if (shown) present();
    const target = opener === host.el || !opener?.isConnected ? launcher : opener;
    target.focus({ preventScroll: true });
    emitter.emit("close", {});
  }

  function present(outcome?: Shown): void {
    shown = outcome;
    panel?.show(outcome);
    if (opened) panel?.focus();
  }

  function onAgain(): void {
    present();
  }

  function onInput(): void {
    clearTimeout(pause);
    if (!draft.message) settled();
    pause = setTimeout(() => {
      if ([...draft.message].length <= MESSAGE_LENGTH) {
        session.draft(draft.message, config.show_drafts && draft.shared, pageURL());
      }
    }, DRAFT_PAUSE_MS);
  }

  function feedback({ message, kind, rating, email, name }: Partial<Draft>): Feedback {
    return { page_url: pageURL(), message: (message || "").trim(), kind, rating, email, name, context: context(page) };
  }

  /** What keeps a draft from being sent, and the field it is about. */
  function fault({ message, email }: Feedback): [text: string, field: string] | undefined {
    const excess = [...message].length - MESSAGE_LENGTH;
    if (!message) return [strings!.hint_empty, "message"];
    if (excess > 0) return [format(strings!.errLong, { n: excess }), "message"];
    if (email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return [strings!.errEmail, "email"];
    return undefined;
  }

  async function onSubmit(): Promise<void> {
    if (sending) return;
    const body = feedback(draft);
    const wrong = fault(body);
    if (wrong) return panel?.form()?.error(...wrong);
    if (!emitter.emit("submit", body)) return;
    clearTimeout(pause);
    sending = true;
    panel?.form()?.busy(true);
    const outcome = await delivery.submit(body);
    sending = false;
    panel?.form()?.busy(false);
    if (outcome.state === "refused") {
      const full = outcome.code === "outbox_full";
      panel?.form()?.error(full ? strings!.errKeep : format(strings!.errRefused, outcome), outcome.field || "message");
      return;
    }
    settled();
    forget();
    present(outcome);
  }

  function forget(): void {
    Object.assign(draft, { message: "", kind: undefined, rating: undefined });
  }

  return {
    open,
    close,
    toggle: () => (opened ? close() : void open()),
    show: () => (launcher.hidden = false),
    hide: () => (launcher.hidden = true),
    theme: host.theme,
    async locale(setting: string) {
      config.locale = setting;
      lang = pickLanguage(setting);
      dress();
      if (panel) await speak(lang);
    },
    prefill(values: Partial<Draft>) {
      Object.assign(draft, values);
      if (panel) build();
    },
    /** Sends without a panel. Resolves to what became of it; undefined when a listener of `submit` said no. */
    async send(values: Partial<Draft>): Promise<Outcome | undefined> {
      const body = feedback(values);
      return emitter.emit("submit", body) ? delivery.submit(body) : undefined;
    },
    reset() {
      forget();
      draft.email = draft.name = undefined;
      outbox.reset();
      session.close(true);
      if (opened) session.open();
      if (panel) build();
    },
    destroy() {
      close();
      clearTimeout(pause);
      emitter.off("sent", onSent);
      waker.destroy();
      delivery.destroy();
      session.close(true);
      host.destroy();
    },
  };
}
