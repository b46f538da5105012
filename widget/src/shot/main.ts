import { h } from "../dom";
import { capture } from "./capture";
import css from "./shot.css?inline";
import { wordsIn } from "./words";

const FILE = "screenshot.png";
const COLOUR = "#e5242a";
/** In pixels on screen: what is smaller was a click. */
const SMALLEST_PX = 6;
const LINE_PX = 3;

interface Mark {
  tool: "frame" | "cover";
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ShotOptions {
  lang: string;
  /** Where all that is visible of the widget is. */
  root: HTMLElement;
  style(css: string): void;
}

let dressed: unknown;

/** A picture of what the visitor shares, with what they have marked. Undefined where they would rather not. */
export async function shoot({ lang, root, style }: ShotOptions): Promise<File | undefined> {
  const picture = await capture((hidden) => (root.style.visibility = hidden ? "hidden" : ""));
  if (!picture) return undefined;
  if (dressed !== root) style(css);
  dressed = root;
  return edit(picture, lang, root);
}

function edit(picture: HTMLCanvasElement, lang: string, root: HTMLElement): Promise<File | undefined> {
  const words = wordsIn(lang);
  const marks: Mark[] = [];
  let tool: Mark["tool"] = "frame";
  let drawn: Mark | undefined;
  const canvas = h("canvas", { width: `${picture.width}`, height: `${picture.height}`, role: "img", "aria-label": words.help, pointerdown, pointermove, pointerup, pointercancel: pointerup });
  const paper = canvas.getContext("2d")!;
  const choose = (name: Mark["tool"]) => h("button", { type: "button", "aria-pressed": `${name === tool}`, click: () => turn(name) }, words[name]);
  const tools = { frame: choose("frame"), cover: choose("cover") };
  const undo = h("button", { type: "button", click: back }, words.undo);
  const use = h("button", { type: "button", class: "primary", click: () => done(true) }, words.attach);
  const dialog = h(
    "dialog",
    { class: "shot", "aria-labelledby": "shot-title" },
    h("h2", { id: "shot-title" }, words.title),
    h("p", {}, words.help),
    h("div", { class: "paper" }, canvas),
    h("div", { class: "bar" }, tools.frame, tools.cover, undo, h("button", { type: "button", class: "cancel", click: () => done(false) }, words.cancel), use),
  );
  let settle: (file?: File) => void;
  let wanted = false;

  /** How many of the picture's pixels are one on screen. */
  const scale = (): number => picture.width / (canvas.getBoundingClientRect().width || picture.width);

  function at({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top } = canvas.getBoundingClientRect();
    return [(clientX - left) * scale(), (clientY - top) * scale()];
  }

  function pointerdown(event: PointerEvent): void {
    const [x, y] = at(event);
    canvas.setPointerCapture(event.pointerId);
    marks.push((drawn = { tool, x, y, width: 0, height: 0 }));
  }

  function pointermove(event: PointerEvent): void {
    if (!drawn) return;
    const [x, y] = at(event);
    drawn.width = x - drawn.x;
    drawn.height = y - drawn.y;
    draw();
  }

  function pointerup(): void {
    if (drawn && Math.max(Math.abs(drawn.width), Math.abs(drawn.height)) < SMALLEST_PX * scale()) marks.pop();
    drawn = undefined;
    draw();
  }

  function draw(): void {
    paper.drawImage(picture, 0, 0);
    for (const { tool, x, y, width, height } of marks) {
      if (tool === "cover") {
        paper.fillStyle = "#000";
        paper.fillRect(x, y, width, height);
      } else {
        paper.strokeStyle = COLOUR;
        paper.lineWidth = LINE_PX * scale();
        paper.strokeRect(x, y, width, height);
      }
    }
    undo.ariaDisabled = `${!marks.length}`;
  }

  function turn(name: Mark["tool"]): void {
    tool = name;
    for (const [key, button] of Object.entries(tools)) button.ariaPressed = `${key === tool}`;
  }

  function back(): void {
    marks.pop();
    draw();
  }

  function done(use: boolean): void {
    wanted = use;
    dialog.close();
  }

  function closed(): void {
    dialog.remove();
    if (!wanted) return settle();
    canvas.toBlob((blob) => settle(blob ? new File([blob], FILE, { type: blob.type }) : undefined));
  }

  dialog.addEventListener("close", closed);
  root.append(dialog);
  draw();
  dialog.showModal();
  use.focus();
  return new Promise((resolve) => (settle = resolve));
}
