import { signal } from "@preact/signals";
import { expect, it, vi } from "vitest";
import type { Route } from "../router";
import type { Project } from "../session/types";
import { leaveDeleted } from "./deleted";

const inbox: Route = { name: "inbox", projectId: "p1", feedbackId: null, query: new URLSearchParams() };

it.each([
  ["its own inbox", inbox, true],
  ["its settings", { name: "settings", projectId: "p1" } satisfies Route, true],
  ["another project", { ...inbox, projectId: "p2" }, false],
  ["the list", { name: "projects" } satisfies Route, false],
])("a deleted project is left from %s, once", (_, place, left) => {
  const projects = signal<readonly Project[] | null>([{ id: "p1", name: "Shop" } as Project, { id: "p2", name: "Blog" } as Project]);
  const remove = (id: string): void => void (projects.value = projects.peek()?.filter((project) => project.id !== id) ?? null);
  const notices = { show: vi.fn() };
  const go = vi.fn();
  const deps = { workspace: { projects, remove }, notices, place: signal(place), go };
  leaveDeleted(deps, "p1");
  expect(go.mock.calls).toEqual(left ? [["/", { replace: true }]] : []);
  expect(projects.value?.map(({ id }) => id)).toEqual(["p2"]);
  expect(notices.show).toHaveBeenCalledExactlyOnceWith("“\u2068Shop\u2069” was deleted by somebody else.", "bad");
  leaveDeleted(deps, "p1");
  expect(notices.show).toHaveBeenCalledOnce();
});
