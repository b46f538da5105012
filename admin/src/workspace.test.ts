import { expect, it, vi } from "vitest";
import { Unreachable } from "./session/problem";
import type { Me, Project } from "./session/types";
import { createWorkspace } from "./workspace";

const project = (id: string, name = id): Project => ({ id, name }) as Project;
const person = (name: string): Me => ({ role: "owner", user: { name } }) as Me;

function setUp() {
  const api = { me: vi.fn(async () => person("Ann")), projects: vi.fn(async () => [project("p1"), project("p2")]) };
  const workspace = createWorkspace(api as unknown as Parameters<typeof createWorkspace>[0]);
  const ids = (): string[] | undefined => workspace.projects.value?.map(({ id }) => id);
  return { api, workspace, ids };
}

it("shows nobody what was asked for by who has signed out", async () => {
  const { api, workspace, ids } = setUp();
  let answer = (_: Me): void => undefined;
  api.me.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  const late = workspace.read();
  workspace.clear();
  api.me.mockResolvedValueOnce(person("Bob"));
  api.projects.mockResolvedValueOnce([project("p9")]);
  await workspace.read();
  answer(person("Ann"));
  await late;
  expect([workspace.me.value?.user.name, ids()]).toEqual(["Bob", ["p9"]]);
});

it("shows nobody the failure of who has signed out", async () => {
  const { api, workspace } = setUp();
  let fail = (_: Error): void => undefined;
  api.me.mockReturnValueOnce(new Promise((_, reject) => (fail = reject)));
  const late = workspace.read();
  workspace.clear();
  fail(new Unreachable("down"));
  await late;
  expect(workspace.failed.value).toBe(false);
});

it("takes in a project that was changed, in its place, and one that is new, where a reload finds it", async () => {
  const { workspace, ids } = setUp();
  await workspace.read();
  await workspace.put(Promise.resolve(project("p1", "Shop")));
  expect(await workspace.put(Promise.resolve(project("p3")))).toEqual(project("p3"));
  expect(ids()).toEqual(["p3", "p1", "p2"]);
  expect(workspace.projects.value?.[1]?.name).toBe("Shop");
});

it.each([
  ["before the next one's list is there", false],
  ["beside the next one's list", true],
])("shows no project of who has signed out %s", async (_, read) => {
  const { api, workspace, ids } = setUp();
  await workspace.read();
  let answer = (_: Project): void => undefined;
  const late = workspace.put(new Promise((resolve) => (answer = resolve)));
  workspace.clear();
  api.projects.mockResolvedValueOnce([project("p9")]);
  if (read) await workspace.read();
  answer(project("p1"));
  await late;
  expect(ids()).toEqual(read ? ["p9"] : undefined);
});
