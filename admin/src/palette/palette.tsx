import { useMemo } from "preact/hooks";
import { useDashboard } from "../context";
import { inboxHref, navigate } from "../router";
import { t } from "../text/en";
import { Picker } from "../triage/picker";
import type { Command } from "./commands";

interface PaletteProps {
  /** Where a search leads; null outside of a project. */
  projectId: string | null;
  onClose(): void;
}

/** Everything by name. What is no command is looked for in the inbox. */
export function Palette({ projectId, onClose }: PaletteProps) {
  const { commands, workspace } = useDashboard();
  const list = useMemo((): readonly Command[] => {
    const projects = workspace.projects.peek() ?? [];
    const others = projects.filter(({ id }) => id !== projectId).map(({ id, name }) => ({ name: t.palette.project(name), run: () => navigate(inboxHref(id, null)) }));
    return [...commands.all(), ...others];
  }, []);
  return (
    <Picker<() => void>
      title={t.palette.title}
      placeholder={t.palette.find}
      options={list.map(({ name, keys, run }) => ({ value: run, label: name, hint: keys, chosen: "no" }))}
      create={(typed) => projectId ? { value: () => navigate(inboxHref(projectId, null, new URLSearchParams({ q: typed }))), label: typed, chosen: "no" } : null}
      made={t.palette.search}
      // After the dialog is gone and the focus is where it was: what runs may open another one.
      onPick={(run) => setTimeout(run)}
      onClose={onClose}
      testid="palette"
    />
  );
}
