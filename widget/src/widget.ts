import { mergeConfig, type Config, type Kind, type PageOptions, type WidgetConfig } from "./config";
import { context, pageURL, type PageContext } from "./context";
import { createDelivery, type Outcome } from "./delivery";
import { focusIsFree, h, icon, reword } from "./dom";
import type { Emitter } from "./emitter";
import { MESSAGE_LENGTH, type Draft } from "./form";
import { createHost } from "./host";
import { SPEECH } from "./icons";
import { fetchJSON, LAUNCHER, pickLanguage } from "./locale";
import { createOutbox, type Feedback } from "./outbox";
import { createPanel, type Panel, type Result } from "./panel";
import { createSession } from "./session";
import { panelCSS } from "./styles";
import { VERSION } from "./version";
import { startWaker } from "./waker";

/** Quiet time after a keystroke before the draft is sent; well under the server's five a second. */
const DRAFT_PAUSE_MS = 400;
/** How long the panel waits for its language before it opens in the one at hand. */
const LANGUAGE_WAIT_MS = 150;

/**
 * `config` lacks its strings in the pinned script, which asks for the project's settings when the visitor first acts;
 * `options` are the page's own and win over them then, too.
 */
export function createWidget(config: Config, options: PageOptions, emitter: Emitter, page: PageContext) {
  /** Ends what listens to the page. */
  const stop = new AbortController();
  const { signal } = stop;
  const host = createHost(config, signal);
  const outbox = createOutbox(`earshot:${config.key}`, () => (config.storage === "off" ? undefined : localStorage));
  const session = createSession(config, outbox.token, (reading) => panel?.form()?.reading(reading), signal);
  const delivery = createDelivery(config, outbox, session, emitter, signal);
  const draft: Draft = { message: "", shared: true };
  const label = h("span");
  const launcher = h("button", { class: "launcher", "aria-haspopup": "dialog" }, icon(SPEECH), label);
  let panel: Panel | undefined;
  let result: Result | undefined;
  let opened = false;
  /** What is under way, so that the visitor sends nothing twice. */
  let sending: Feedback | undefined;
  let opener: HTMLElement | null = null;
  /** An undeliverable entry whose text is in the form; it leaves the outbox when the visitor has dealt with it. */
  let undelivered: string | undefined;
  let pause: ReturnType<typeof setTimeout>;

  const language = (): string => pickLanguage(config.locale);

  function dress(): void {
    const lang = language();
    host.paint(lang);
    label.textContent = config.texts.launcher || LAUNCHER[lang]!;
    launcher.hidden = config.trigger === "none";
    launcher.ariaExpanded = `${opened}`;
  }

  /** What a page says at run time is one of its options from then on. */
  function choose(option?: PageOptions, settings: Partial<WidgetConfig> = config): void {
    Object.assign(config, mergeConfig(settings, Object.assign(options, option)));
    dress();
  }

  function create(): Panel {
    return createPanel({ config, draft, onDraft, onSubmit, onAgain: () => present(), onClose: close });
  }

  /** Resolves when the panel can speak; a language that comes late replaces the words of the one at hand. */
  async function speak(): Promise<void> {
    const wanted = language();
    if (config.strings.lang === wanted) return;
    const replace = (loaded: object) => {
      if (language() !== wanted) return;
      Object.assign(config.strings, loaded);
      if (!panel) return;
      const fresh = create();
      fresh.show(result, !!sending);
      reword(panel.el, fresh.el);
    };
    await new Promise((done) => {
      setTimeout(done, LANGUAGE_WAIT_MS);
      fetchJSON<object>(`${config.api}/w/v/${VERSION}/${wanted}.json`).then(replace).then(done, done);
    });
  }

  async function open(kind?: string, from?: Element): Promise<void> {
    if (opened || signal.aborted || !emitter.emit("open", { kind })) return;
    opened = true;
    opener = (from || document.activeElement) as HTMLElement | null;
    try {
      if (!config.strings) choose({}, await fetchJSON(`${config.api}/w/${config.key}/config.json`));
    } catch (error) {
      opened = false;
      emitter.emit("error", { code: "unavailable", message: `${error}` });
      return;
    }
    await speak();
    if (!opened) return;
    if (kind) draft.kind = kind as Kind;
    dress();
    if (!panel) {
      // Most of what there is to parse: a page load does not pay for it.
      host.style(panelCSS);
      panel = create();
      host.root.append(panel.el);
    }
    panel.el.hidden = true;
    present(result);
    // The style of the closed panel has to be computed once, or there is nothing to animate from.
    panel.el.getBoundingClientRect();
    panel.el.hidden = false;
    host.engage(true);
    session.open();
    panel.focus();
    recall();
  }

  /** Brings back what could not be delivered: nothing is swallowed. */
  function recall(): void {
    const entry = outbox.failed();
    if (!entry || draft.message || result) return;
    undelivered = entry.id;
    Object.assign(draft, entry.body);
    present();
    panel!.form()!.error(config.strings.errUndelivered);
  }

  function settle(): void {
    if (undelivered) outbox.remove(undelivered);
    undelivered = undefined;
  }

  function close(): void {
    if (!opened) return;
    const free = focusIsFree();
    opened = false;
    result = undefined;
    if (panel) panel.el.hidden = true;
    dress();
    host.engage(false);
    session.close();
    if (free) (opener?.isConnected && opener !== host.el ? opener : launcher).focus({ preventScroll: true });
    emitter.emit("close", {});
  }

  function present(next?: Result): void {
    result = next;
    panel?.show(next, !!sending);
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
    return {
      page_url: pageURL(),
      message: (message || "").trim(),
      kind,
      rating: rating ? +rating : undefined,
      email: email?.trim() || undefined,
      name,
      context: context(page),
    };
  }

  /** Says what keeps a message from being sent. */
  function faulty({ message, email }: Feedback): boolean {
    const form = panel!.form()!;
    if (!message) form.error(config.strings.hint_empty);
    else if ([...message].length > MESSAGE_LENGTH) form.error(config.strings.hint_too_long);
    else if (email && !/^\S+@\S+\.\S+$/.test(email)) form.error(config.strings.errEmail, "email");
    else return false;
    return true;
  }

  async function onSubmit(): Promise<void> {
    const body = feedback(draft);
    if (sending || faulty(body) || !emitter.emit("submit", body)) return;
    clearTimeout(pause);
    sending = body;
    panel!.form()!.busy(true);
    const outcome = await delivery.submit(body);
    // A reset meanwhile: by now the form is somebody else's.
    if (sending !== body) return;
    sending = undefined;
    panel!.form()?.busy(false);
    if (outcome.state === "refused") {
      panel!.form()?.error(`${config.strings.errRefused} (${outcome.code})`, outcome.field);
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

  const calls = {
    open,
    flush: () => delivery.flush(true),
    leave: () => session.close(true),
    back: () => opened && session.open(),
  };
  startWaker(config, calls, signal);
  launcher.addEventListener("click", () => open());
  host.root.append(launcher);
  emitter.on("sent", onSent);
  dress();

  return {
    open,
    close,
    toggle: () => (opened ? close() : open()),
    show: () => choose({ trigger: "button" }),
    hide: () => choose({ trigger: "none" }),
    theme: (theme: string) => choose({ theme }),
    async locale(lang: string) {
      choose({ lang });
      if (panel) await speak();
    },
    prefill(values: Partial<Draft>) {
      Object.assign(draft, values);
      present(result);
    },
    /** Sends without a panel. Resolves to what became of it; undefined when a listener of `submit` said no. */
    async send(values: Partial<Draft>): Promise<Outcome | undefined> {
      const body = feedback(values);
      return emitter.emit("submit", body) ? delivery.submit(body) : undefined;
    },
    reset() {
      delete page.attributes;
      delete page.tags;
      settle();
      forget({ email: undefined, name: undefined });
      sending = undefined;
      outbox.reset();
      session.close(true);
      if (opened) session.open();
      present();
    },
    destroy() {
      close();
      emitter.off("sent", onSent);
      stop.abort();
      session.close(true);
      host.destroy();
    },
  };
}
