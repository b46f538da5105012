import type { VisitorServerEvent } from "../../realtime/protocol/ts";
import { loadChunk } from "./chunk";
import { mergeConfig, type Config, type Kind, type PageOptions, type WidgetConfig } from "./config";
import type { Visit } from "./context";
import { createDelivery, type Ask, type Outcome } from "./delivery";
import { focusIsFree, h, icon, reword } from "./dom";
import type { Emitter } from "./emitter";
import { feedback, type Draft, type Fault } from "./form";
import { createHost } from "./host";
import { SPEECH } from "./icons";
import type { Live } from "./live/main";
import { fetchJSON, LAUNCHER, pickLanguage } from "./locale";
import { createOutbox, type Feedback } from "./outbox";
import { createPanel, type Panel, type View } from "./panel";
import { panelCSS } from "./styles";
import type { Talk } from "./talk/main";
import { VERSION } from "./version";
import { startWaker } from "./waker";

/** How long the panel waits for its language before it opens in the one at hand. */
const LANGUAGE_WAIT_MS = 150;

/**
 * `config` lacks its strings in the pinned script, which asks for the project's settings when the visitor first acts;
 * `options` are the page's own and win over them then, too.
 */
export function createWidget(config: Config, options: PageOptions, emitter: Emitter, page: Visit) {
  /** Ends what listens to the page. */
  const stop = new AbortController();
  const { signal } = stop;
  const host = createHost(config, signal);
  const outbox = createOutbox(`earshot:${config.key}`, () => (config.storage === "off" ? undefined : localStorage));
  const ask: Ask = async (owner, event) => live?.ask(owner, event);
  const delivery = createDelivery(config, outbox, ask, emitter, signal);
  const draft: Draft = { message: "", shared: true };
  const label = h("span");
  const launcher = h("button", { class: "launcher", "aria-haspopup": "dialog", click: () => open() }, icon(SPEECH), label);
  let panel: Panel | undefined;
  let view: View | undefined;
  let talk: Talk | undefined;
  let live: Live | undefined;
  let coming: Promise<void> | undefined;
  /** When the panel was opened, in the page's own time. */
  let since: number;
  let greeted = false;
  let missed: boolean;
  let opened = false;
  /** What is under way, so that the visitor sends nothing twice. */
  let sending: Feedback | undefined;
  let opener: HTMLElement | null = null;
  /** An undeliverable entry whose text is in the form; it leaves the outbox when the visitor has dealt with it. */
  let undelivered: string | undefined;

  const language = (): string => pickLanguage(config.locale);

  function dress(): void {
    const lang = language();
    host.paint(lang);
    label.textContent = config.texts.launcher || LAUNCHER[lang]!;
    launcher.hidden = config.trigger === "none";
    launcher.ariaExpanded = `${opened}`;
    talk?.dress();
    live?.dress();
  }

  /** What a page says at run time is one of its options from then on. */
  function choose(option?: PageOptions, settings: Partial<WidgetConfig> = config): void {
    Object.assign(config, mergeConfig(settings, Object.assign(options, option)));
    dress();
  }

  const hear = (event: VisitorServerEvent) => talk?.hear(event);

  /** Brings what an open panel has beyond the form. Without it, messages go by POST. */
  function enliven(): void {
    live?.open();
    coming ||= loadChunk(config, "live").then(
      ({ createLive }) => {
        live = createLive({ config, draft, outbox, hear, signal, style: host.style, panel: () => panel?.el });
        if (opened) live.open();
        dress();
      },
      () => (coming = undefined),
    );
  }

  function create(): Panel {
    return createPanel({ config, draft, onDraft, onSubmit, onAgain, onClose: close });
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
      fresh.show(view, !!sending);
      reword(panel.el, fresh.el);
      dress();
    };
    await new Promise((done) => {
      setTimeout(done, LANGUAGE_WAIT_MS);
      fetchJSON<object>(`${config.api}/w/v/${VERSION}/${wanted}.json`).then(replace).then(done, done);
    });
  }

  /** For words to be said, in the language they are to be said in. */
  async function prepare(): Promise<void> {
    if (!config.strings) choose({}, await fetchJSON(`${config.api}/w/${config.key}/config.json`));
    await speak();
  }

  async function open(kind?: string, from?: Element): Promise<void> {
    if (opened || signal.aborted || !emitter.emit("open", { kind })) return;
    opened = true;
    since = performance.now();
    opener = (from || document.activeElement) as HTMLElement | null;
    try {
      await prepare();
    } catch (error) {
      opened = false;
      emitter.emit("error", { code: "unavailable", message: `${error}` });
    }
    if (!opened) return;
    // What could not be loaded before, perhaps can by now.
    greeted &&= !missed;
    greet();
    if (kind) draft.kind = kind as Kind;
    dress();
    if (!panel) {
      // Most of what there is to parse: a page load does not pay for it.
      host.style(panelCSS);
      panel = create();
      host.root.append(panel.el);
    }
    panel.el.hidden = true;
    present(view);
    // The style of the closed panel has to be computed once, or there is nothing to animate from.
    panel.el.getBoundingClientRect();
    panel.el.hidden = false;
    if (!kind && !draft.message) talk?.open();
    host.engage(true);
    enliven();
    panel.focus();
    recall();
  }

  /** Brings back what could not be delivered: nothing is swallowed. */
  function recall(): void {
    const entry = outbox.failed();
    if (!entry || draft.message || view) return;
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
    view = undefined;
    if (panel) panel.el.hidden = true;
    dress();
    host.engage(false);
    live?.close();
    if (free) (opener?.isConnected && opener !== host.el ? opener : launcher).focus({ preventScroll: true });
    emitter.emit("close", {});
  }

  function present(next?: View): HTMLElement | undefined {
    view = next;
    const content = panel?.show(next, !!sending);
    dress();
    return content;
  }

  function onAgain(): void {
    present();
    recall();
  }

  /** Brings what conversations need. Where it cannot, that is no matter of the visitor's: they have asked for nothing. */
  async function load(): Promise<void> {
    try {
      const { createTalk } = await loadChunk(config, "talk");
      talk ||= createTalk({
        config, outbox, ask, emitter, language, launcher, present, onAgain, signal,
        style: host.style, panel: () => panel?.el, view: () => view,
      });
    } catch {}
    missed = !talk;
  }

  /** The visitor's first act on this page. There was a submission? Then there may be replies. */
  function greet(): void {
    if (!greeted && outbox.use(({ token }) => token)) load().then(() => talk?.greet());
    greeted = true;
  }

  function onDraft(): void {
    if (!draft.message) settle();
    live?.changed();
  }

  async function onSubmit(): Promise<void> {
    const body: Feedback = { ...feedback(draft, page), attachment_ids: [], elapsed_ms: Math.round(performance.now() - since) };
    if (sending || panel!.form()!.faulty(body) || !emitter.emit("submit", body)) return;
    live?.changed(true);
    sending = body;
    panel!.form()!.busy(true);
    let fault: Fault | undefined;
    let outcome: Outcome | undefined;
    try {
      outcome = await delivery.submit(body, draft.files);
    } catch (told) {
      fault = told as Fault;
    }
    // A reset meanwhile: by now the form is somebody else's.
    if (sending !== body) return;
    sending = undefined;
    panel!.form()?.busy(false);
    if (!outcome || outcome.state === "refused") live?.returned();
    if (!outcome) panel!.form()?.error(fault!.words, "", fault!.at);
    else if (outcome.state === "refused") {
      panel!.form()?.error(`${config.strings.errRefused} (${outcome.code})`, outcome.field);
    } else {
      settle();
      forget();
      present(outcome);
    }
  }

  function forget(more?: Partial<Draft>): void {
    Object.assign(draft, { message: "", kind: undefined, rating: undefined, files: undefined }, more);
  }

  function onSent({ detail }: CustomEvent): void {
    load();
    if (view?.state === "kept" && view.id === detail.id) present({ state: "sent", id: detail.id });
  }

  const leave = () => {
    live?.close(true);
    delivery.leave();
  };
  startWaker(config, { open, flush: () => delivery.flush(true), greet, leave, back: () => opened && live?.open() }, signal);
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
      present(view);
    },
    /** Sends without a panel. Resolves to what became of it; undefined when a listener of `submit` said no. */
    async send(values: Partial<Draft>): Promise<Outcome | undefined> {
      const body = feedback(values, page);
      return emitter.emit("submit", body) ? delivery.submit(body) : undefined;
    },
    reset() {
      Object.keys(page).forEach((name) => delete page[name as keyof Visit]);
      settle();
      forget({ email: undefined, name: undefined });
      sending = undefined;
      outbox.reset();
      live?.close(true);
      if (opened) live?.open();
      present();
    },
    destroy() {
      close();
      emitter.off("sent", onSent);
      stop.abort();
      live?.close(true);
      host.destroy();
    },
  };
}
