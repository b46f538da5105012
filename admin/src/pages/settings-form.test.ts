import { expect, it } from "vitest";
import type { Project } from "../session/types";
import { originErrors, readOrigins } from "./origins";
import { changesOf, formOf } from "./settings-form";

const project = {
  name: "Shop",
  allowed_origins: ["https://a.example"],
  retention_days: 0,
  settings: { accent: "#4f46e5", kinds: ["bug"], texts: {}, rating: true },
} as unknown as Project;

it("sends nothing where nothing changed", () => {
  const form = formOf(project);
  expect(changesOf(project, form)).toBeNull();
  expect(changesOf(project, { ...form, settings: { ...form.settings, texts: { title: "" } } })).toBeNull();
});

it("sends only what changed", () => {
  const form = formOf(project);
  const got = changesOf(project, { ...form, name: " Store ", settings: { ...form.settings, rating: false } });
  expect(got).toEqual({ name: "Store", settings: { rating: false } });
});

it("sends how long feedback is kept, and 0 for good", () => {
  const form = formOf(project);
  expect(changesOf(project, { ...form, retention: " 90 " })).toEqual({ retention_days: 90 });
  expect(changesOf({ ...project, retention_days: 90 }, { ...form, retention: "" })).toEqual({ retention_days: 0 });
});

it("reads pasted origins", () => {
  expect(readOrigins(" https://a.example, https://b.example\nhttps://a.example\n")).toEqual(["https://a.example", "https://b.example"]);
});

it("says which origin is wrong", () => {
  expect(originErrors([{ path: "allowed_origins.1", message: "no" }], ["a", "b"])).toBe("b: no");
  expect(originErrors([{ path: "name", message: "no" }], ["a"])).toBeUndefined();
});
