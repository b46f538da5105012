import type { Config, Kind, Strings } from "./config";
import { context, pageURL, type PageContext } from "./context";
import { createDelivery, type Outcome } from "./delivery";
import { h, icon } from "./dom";
import type { Emitter } from "./emitter";
import { MESSAGE_LENGTH, type Draft } from "./form";
import { createHost } from "./host";
import { SPEECH } from "./icons";
import { LAUNCHER, loadStrings, pickLanguage } from "./locale";
import css from "./panel.css?inline";
import { createOutbox, type Feedback } from "./outbox";
import { createPanel, type Panel, type Result } from "./panel";
import { createSession } from "./session";
import { createWaker } from "./waker";

/** Quiet time after a keystroke before the draft is sent; well under the server's five a second. */
const DRAFT_PAUSE_MS = 400;
/** How long the panel waits for its language before it opens in the one at hand. */
const LANGUAGE_WAIT_MS = 150;

export type Widget = ReturnType<typeof createWidget>;

/** `complete` fills in the configuration. It may ask the server, so it runs only once the visitor acts. */
export function createWidget(config: Config, complete: () => Promise<void>, emitter: Emitter, page: PageContext) {
  const host = createHost(config);
  const outbox = createOutbox(`earshot:${config.key}`, () => (config.storage === "off" ? undefined : localStorage));
  const session = createSession(config, outbox.token, (reading) => panel?.form()?.reading(reading));
  const delivery = createDelivery(config, outbox, session, emitter);
  const draft: Draft = { message: "", shared: true };
  const label = h("span");
  const launcher = h("button", { class: "launcher", "aria-haspopup": "dialog" }, icon(SPEECH), label);
  let lang = pickLanguage(config.locale);
  let strings: Strings | undefined;
  let panel: Panel | undefined;
  let result: Result | undefined;
  let styled = false;
  let opened = false;
  let sending = false;
  let opener: HTMLElement | null = null;
  /** An undeliverable entry whose text is in the form; it leaves the outbox when the visitor has dealt with it. */
  let undelivered: string | undefined;
  let pause: ReturnType<typeof setTimeout>;

  function dress(): void {
    host.locale(lang);
    label.textContent = config.texts.launcher || LAUNCHER[lang]!;
    launcher.ariaExpanded = `${opened}`;
  }

  /** The panel's style sheet is most of what there is to parse, so a page load does not pay for it. */
  function prepare(): void {
    if (!styled) host.style(css);
    styled = true;
  }

  function build(hidden = !opened): void {
    panel?.el.remove();
    panel = createPanel({ config, strings: strings!, draft, onDraft, onSubmit, onAgain: () => present(), onClose: close });
    panel.el.hidden = hidden;
    panel.show(result);
    panel.form()?.busy(sending);
    host.root.append(panel.el);
    if (!hidden) panel.focus();
  }

  /** Resolves when the panel can speak; a language that comes late replaces the one at hand. */
  async function speak(): Promise<void> {
    const wanted = lang;
    const load = loadStrings(config, lang).then((loaded) => {
      if (lang === wanted) strings = loaded;
      if (panel) build();
    });
    await Promise.race([load.catch(() => {}), new Promise((done) => setTimeout(done, LANGUAGE_WAIT_MS))]);
    strings ||= config.strings;
  }

  async function open(kind?: string, from?: Element): Promise<void> {
    if (opened || !emitter.emit("open", { kind })) return;
    opened = true;
    opener = (from || document.activeElement) as HTMLElement | null;
    try {
      await complete();
    } catch (error) {
      opened = false;
      emitter.emit("error", { code: "unavailable", message: String(error) });
      return;
    }
    if (strings?.lang !== lang) await speak();
    if (!opened) return;
    if (kind) draft.kind = kind as Kind;
    host.paint();
    dress();
    prepare();
    build(true);
    // The style of the closed panel has to be computed once, or there is nothing to animate from.
    panel!.el.getBoundingClientRect();
    panel!.el.hidden = false;
    host.engage(true);
    session.open();
    panel!.focus();
    recall();
  }

  /** Brings back what could not be delivered: nothing is swallowed. */
  function recall(): void {
    const entry = outbox.failed();
    if (!entry || draft.message || result) return;
    undelivered = entry.id;
    Object.assign(draft, entry.body);
    build();
    panel!.form()!.error(strings!.errUndelivered, "message");
  }

  function settle(): void {
    if (undelivered) outbox.remove(undelivered);
    undelivered = undefined;
  }

  function close(): void {
    if (!opened) return;
    opened = false;
    result = undefined;
    if (panel) panel.el.hidden = true;
    dress();
    host.engage(false);
    session.close();
    (opener?.isConnected && opener !== host.el ? opener : launcher).focus({ preventScroll: true });
    emitter.emit("close", {});
  }

  function present(next?: Result): void {
    result = next;
    panel?.show(next);
    if (opened) panel?.focus();
  }

  function onDraft(): void {
    clearTimeout(pause);
    if (!draft.message) settle();
    pause = setTimeout(() => {
      if ([...draft.message].length > MESSAGE_LENGTH) return;
      session.draft(draft.message, config.show_drafts && draft.shared);
    }, DRAFT_PAUSE_MS);
  }

  function feedback({ message, kind, rating, email, name }: Partial<Draft>): Feedback {
    return { page_url: pageURL(), message: (message || "").trim(), kind, rating, email, name, context: context(page) };
  }

  /** Says what keeps a message from being sent. */
  function faulty({ message, email }: Feedback): boolean {
    const form = panel!.form()!;
    if (!message) form.error(strings!.hint_empty, "message");
    else if ([...message].length > MESSAGE_LENGTH) form.error(strings!.hint_too_long, "message");
    else if (email && !/^\S+@\S+\.\S+$/.test(email)) form.error(strings!.errEmail, "email");
    else return false;
    return true;
  }

  async function onSubmit(): Promise<void> {
    const body = feedback(draft);
    if (sending || faulty(body) || !emitter.emit("submit", body)) return;
    clearTimeout(pause);
    sending = true;
    panel!.form()!.busy(true);
    const outcome = await delivery.submit(body);
    sending = false;
    panel!.form()?.busy(false);
    if (outcome.state === "refused") {
      panel!.form()?.error(`${strings!.errRefused} (${outcome.code})`, outcome.field === "email" ? "email" : "message");
    } else {
      settle();
      forget();
      present(outcome);
    }
  }

  function forget(more?: Partial<Draft>): void {
    Object.assign(draft, { message: "", kind: undefined, rating: undefined }, more);
  }

  function onSent({ detail }: CustomEvent): void {
    if (result?.state === "kept" && result.id === detail.id) present({ state: "sent", id: detail.id });
  }

  const waker = createWaker(config, {
    open,
    flush() {
      prepare();
      delivery.flush(true);
    },
    leave: () => session.close(true),
    back: () => opened && session.open(),
  });
  launcher.hidden = config.trigger === "none";
  launcher.addEventListener("click", () => open());
  host.root.append(launcher);
  emitter.on("sent", onSent);
  dress();

  return {
    open,
    close,
    toggle: () => (opened ? close() : open()),
    show: () => (launcher.hidden = false),
    hide: () => (launcher.hidden = true),
    theme(theme: string) {
      config.theme = theme;
      host.paint();
    },
    async locale(setting: string) {
      lang = pickLanguage(setting);
      dress();
      if (panel) await speak();
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
      forget({ email: undefined, name: undefined });
      outbox.reset();
      session.close(true);
      if (opened) session.open();
      if (panel) build();
    },
    destroy() {
      close();
      emitter.off("sent", onSent);
      waker.destroy();
      delivery.destroy();
      session.close(true);
      host.destroy();
    },
  };
}
