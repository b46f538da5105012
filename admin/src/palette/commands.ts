import { useEffect } from "preact/hooks";

/** Something that can be done here and now. */
export interface Command {
  name: string;
  /** Its key, as the help sheet spells it. */
  keys?: string;
  run(): void;
}

/** What can be done: pages add what they offer while they are shown. */
export interface Commands {
  /** The youngest layer first. `list` is asked for when somebody looks: what can be done depends on what is open by then. */
  layer(list: () => readonly Command[]): () => void;
  all(): readonly Command[];
}

export function createCommands(): Commands {
  const layers: (() => readonly Command[])[] = [];
  return {
    layer(list) {
      layers.push(list);
      return () => void layers.splice(layers.indexOf(list), 1);
    },
    all: () => layers.toReversed().flatMap((list) => list()),
  };
}

/** Bound anew with every drawing, as keys are. */
export function useCommands(commands: Commands, list: () => readonly Command[]): void {
  useEffect(() => commands.layer(list));
}
