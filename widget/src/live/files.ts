import { loadChunk } from "../chunk";
import type { Config } from "../config";
import { h, icon } from "../dom";
import type { Attached, Draft, Fault as Told } from "../form";
import { CLOSE } from "../icons";
import { upload, type Fault } from "./upload";
import { wordsIn, type Words } from "./words";

/** What the server takes, too. */
const MOST_FILES = 5;
const MOST_BYTES = 10_485_760;
const ACCEPT = "image/png,image/jpeg,image/webp,image/gif,application/pdf,text/plain,.txt,.log";
const THUMB_PX = 40;
const SCREEN = "M3 4.5h14v9.5H3zM7 17h6";
const CLIP = "M14.5 8.5l-5.6 5.6a2.6 2.6 0 0 1-3.7-3.7l6.3-6.3a1.8 1.8 0 0 1 2.5 2.5L7.9 12.8a.9.9 0 0 1-1.2-1.2l5.2-5.2";

export interface FilesOptions {
  config: Config;
  draft: Draft;
  token(): string;
  panel(): HTMLElement | undefined;
  style(css: string): void;
  /** Whether the message is under way: nothing is added to it any more. */
  sending(): boolean;
}

export interface Files {
  /** Puts what there is into the form that is in view, in its language. */
  dress(): void;
}

interface Item {
  el: HTMLElement;
  file: File;
  /** As a message has it. */
  attached: Attached;
  /** Ends its upload. */
  stop: AbortController;
  state?: "sending" | Fault;
  dress(words: Words): void;
  /** What to say when it keeps a message back. */
  told(words: Words): Told;
}

/** The files of the message that is being written. They are sent at once, one after the other, and named when the message is. */
export function createFiles({ config, draft, token, panel, style, sending }: FilesOptions): Files {
  let items: Item[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const known = new WeakSet<HTMLElement>();
  const list = h("ul", { class: "files" });
  const input = h("input", { type: "file", accept: ACCEPT, multiple: "", hidden: "", change: chosen, input: (event: Event) => event.stopPropagation() });
  const label = h("span");
  const attach = h("button", { type: "button", click: () => input.click() }, icon(CLIP), label);
  const shotLabel = h("span");
  // What telephones do not have.
  const shooting = config.screenshot !== "off" && "getDisplayMedia" in (navigator.mediaDevices || {});
  const shot = h("button", { type: "button", click: picture }, icon(SCREEN), shotLabel);
  const tools = h("div", { class: "tools" }, attach, shooting && shot, input);
  const words = () => wordsIn(config.strings.lang);

  function alert(words: string): void {
    panel()!.querySelector("#alert")!.textContent = words;
  }

  function chosen(): void {
    add(input.files!);
    // Or the same file could not be chosen again.
    input.value = "";
  }

  async function picture(): Promise<void> {
    try {
      const { shoot } = await loadChunk(config, "shot");
      const file = await shoot({ lang: config.strings.lang, root: panel()!.parentElement!, style });
      if (file) add([file]);
    } catch {
      alert(words().errShot);
    }
    shot.focus();
  }

  function add(files: Iterable<File>): void {
    if (sending()) return;
    alert("");
    for (const file of files) {
      if (items.length >= MOST_FILES) alert(words().errMany);
      else if (file.size > MOST_BYTES) alert(`${isolated(nameOf(file))}: ${words().errSize}`);
      else {
        const item = createItem(file, retry, remove, words);
        items.push(item);
        retry(item);
      }
    }
    list.replaceChildren(...items.map(({ el }) => el));
  }

  function retry(item: Item): void {
    const { file, stop } = item;
    const turn = last.then(() => upload(config, token(), file, stop.signal));
    last = turn.catch(() => {});
    const become = (state?: Item["state"]) => {
      item.state = state;
      item.dress(words());
    };
    become("sending");
    const arrive = (id: string) => {
      item.attached.id = id;
      become();
    };
    item.attached.settled = turn.then(arrive, (fault: Fault) => {
      // Taken away: a message that waits for it goes without.
      if (stop.signal.aborted) return;
      become(fault);
      throw item.told(words());
    });
    // Until a message waits for it, its fault is no more than what is shown.
    item.attached.settled.catch(() => {});
    note();
  }

  const note = () => (draft.files = items.map(({ attached }) => attached));

  function remove(item: Item): void {
    item.stop.abort();
    item.attached.id = undefined;
    item.el.remove();
    items = items.filter((other) => other !== item);
    alert("");
    note();
    attach.focus();
  }

  /** Pasted into the panel or dropped on it, files are meant for it; texts go where they always go. */
  function take(event: Event): void {
    const { clipboardData, dataTransfer, type } = event as ClipboardEvent & DragEvent;
    const data = clipboardData || dataTransfer;
    if (!data?.types.includes("Files")) return;
    // Cells of a sheet and the like come with a picture of themselves. A file that was copied has its name as a text, and no markup.
    if (clipboardData && ["text/plain", "text/html"].every((kind) => data.types.includes(kind))) return;
    // Without it the browser would leave the page for the file.
    event.preventDefault();
    if (type !== "dragover") add(data.files);
  }

  return {
    dress() {
      const slot = panel()?.querySelector(".more");
      if (!draft.files) {
        items.forEach(({ stop }) => stop.abort());
        items = [];
        list.replaceChildren();
      }
      label.textContent = words().attach;
      shotLabel.textContent = words().shot;
      items.forEach((item) => item.dress(words()));
      if (!slot || config.files === "off") return;
      if (list.parentNode !== slot) slot.replaceChildren(list, tools);
      const el = panel()!;
      if (known.has(el)) return;
      known.add(el);
      for (const type of ["paste", "dragover", "drop"]) el.addEventListener(type, take);
    },
  };
}

function createItem(file: File, retry: (item: Item) => void, remove: (item: Item) => void, words: () => Words): Item {
  const state = h("small");
  const again = h("button", { type: "button", class: "retry", click: repeat });
  const gone = h("button", { type: "button", class: "close", click: () => remove(item) }, icon(CLOSE));
  const name = nameOf(file);
  // Trying again does not make it smaller, or another kind.
  const helps = () => item.state === "errFailed";
  const item: Item = {
    file,
    attached: { name, settled: Promise.resolve() },
    stop: new AbortController(),
    el: h("li", {}, thumb(file), h("div", {}, h("bdi", { class: "cut" }, name), state), again, gone),
    dress(words) {
      const failed = item.state?.startsWith("err");
      state.textContent = item.state ? words[item.state] : size(file.size, words);
      // Heard when it happens; what goes well is not worth an interruption.
      if (failed) state.setAttribute("role", "alert");
      else state.removeAttribute("role");
      again.hidden = !helps();
      again.textContent = words.again;
      gone.ariaLabel = words.remove.replace("#", () => name);
    },
    told: (words) => (helps() ? { words: words.errFiles, at: again } : { words: words.errRefused, at: gone }),
  };
  function repeat(): void {
    retry(item);
    // The button that was pressed is hidden now.
    gone.focus();
  }

  item.dress(words());
  return item;
}

/** Without what makes a name read in another order than it is: "exe.png" may end in "gnp.exe" for the eye. */
const nameOf = ({ name }: File): string => name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");

/** A name within a sentence, whose words a name in another direction would turn around. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;

const size = (bytes: number, words: Words): string =>
  new Intl.NumberFormat(words.lang, bytes < 1e6 ? { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 } : { style: "unit", unit: "megabyte", maximumFractionDigits: 1 })
    .format(bytes < 1e6 ? Math.max(1, bytes / 1e3) : bytes / 1e6);

/** A look at the picture, drawn: a page's policy may forbid images of its own making. */
function thumb(file: File): HTMLCanvasElement {
  const canvas = h("canvas", { class: "thumb", width: `${THUMB_PX}`, height: `${THUMB_PX}`, "aria-hidden": "true" });
  if (file.type.startsWith("image/")) {
    createImageBitmap(file).then((image) => {
      const scale = Math.max(THUMB_PX / image.width, THUMB_PX / image.height);
      const [width, height] = [image.width * scale, image.height * scale];
      canvas.getContext("2d")?.drawImage(image, (THUMB_PX - width) / 2, (THUMB_PX - height) / 2, width, height);
      image.close();
    }).catch(() => {});
  }
  return canvas;
}
