import { afterEach, expect, it, vi } from "vitest";
import { createKeys } from "./keys";

let single = true;
const keys = createKeys(document, () => single);
let leave = (): void => undefined;

function press(key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
}

function bind(...names: string[]): Record<string, ReturnType<typeof vi.fn>> {
  const bindings = Object.fromEntries(names.map((name) => [name, vi.fn()]));
  leave = keys.layer(bindings);
  return bindings;
}

afterEach(() => {
  leave();
  single = true;
  document.body.replaceChildren();
});

it("runs the youngest layer that knows the key", () => {
  const below = bind("j", "k");
  const leaveBelow = leave;
  const above = bind("j");
  press("j");
  press("k");
  expect(above["j"]).toHaveBeenCalledOnce();
  expect(below["j"]).not.toHaveBeenCalled();
  expect(below["k"]).toHaveBeenCalledOnce();
  leaveBelow();
});

it("knows sequences", () => {
  const run = bind("g i", "i");
  press("i");
  press("g");
  press("i");
  expect(run["i"]).toHaveBeenCalledOnce();
  expect(run["g i"]).toHaveBeenCalledOnce();
});

it("leaves what is typed, modified and composed alone", () => {
  const run = bind("e");
  const input = document.body.appendChild(document.createElement("input"));
  press("e", input);
  press("e", document.body, { ctrlKey: true });
  press("e", document.body, { isComposing: true });
  expect(run["e"]).not.toHaveBeenCalled();
});

it("keeps named keys when single keys are off", () => {
  const run = bind("e", "Escape");
  single = false;
  press("e");
  press("Escape");
  expect(run["e"]).not.toHaveBeenCalled();
  expect(run["Escape"]).toHaveBeenCalledOnce();
});

it("leaves Enter and the arrows to what has the focus", () => {
  const run = bind("Enter", "ArrowDown");
  const button = document.body.appendChild(document.createElement("button"));
  const row = document.body.appendChild(document.createElement("a"));
  row.dataset["row"] = "1";
  press("Enter", button);
  press("ArrowDown", button);
  expect(run["Enter"]).not.toHaveBeenCalled();
  press("Enter", row);
  press("ArrowDown", row);
  expect(run["Enter"]).toHaveBeenCalledOnce();
  expect(run["ArrowDown"]).toHaveBeenCalledOnce();
});
