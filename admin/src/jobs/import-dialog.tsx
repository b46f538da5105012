import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { Problem } from "../session/problem";
import type { Job } from "../session/types";
import { t } from "../text/en";
import { isolate } from "../text/isolate";
import { jobs as words } from "../text/en-jobs";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { explain } from "../workspace";
import { csvHead } from "./csv";

interface ImportDialogProps {
  projectId: string;
  onClose(): void;
  onStarted(job: Job): void;
}

/** Enough for a header and the first rows, whatever their length. */
const headBytes = 64 << 10;

type ImportField = keyof typeof words.fields;
/** What a column is: left to its name, a field, or nothing. */
type Choice = "auto" | "none" | ImportField;

export function ImportDialog({ projectId, onClose, onStarted }: ImportDialogProps) {
  const { api } = useDashboard();
  const file = useSignal<File | null>(null);
  const head = useSignal<readonly string[][]>([]);
  const choices = useSignal<Readonly<Record<string, Choice>>>({});
  const busy = useSignal(false);
  const failed = useSignal("");
  const over = useSignal(false);
  const isCSV = /\.(csv|tsv|txt)$/i.test(file.value?.name ?? "");

  const take = async (next: File | undefined): Promise<void> => {
    if (!next) return;
    file.value = next;
    failed.value = "";
    choices.value = {};
    head.value = csvHead(await next.slice(0, headBytes).text(), 2);
  };
  const start = async (look: boolean): Promise<void> => {
    if (!file.value || busy.value) return;
    busy.value = true;
    failed.value = "";
    const form = new FormData();
    form.set("format", isCSV ? "csv" : "jsonl");
    form.set("dry_run", String(look));
    const mapping = Object.entries(choices.value).filter(([, choice]) => choice !== "auto").map(([column, choice]) => [column, choice === "none" ? "" : choice]);
    if (isCSV && mapping.length > 0) form.set("mapping", JSON.stringify(Object.fromEntries(mapping)));
    form.set("file", file.value);
    try {
      onStarted(await api.createImport(projectId, form));
      onClose();
    } catch (error) {
      failed.value = error instanceof Problem && error.status === 413 ? words.tooLarge : explain(error);
      busy.value = false;
    }
  };
  return (
    <Dialog title={words.import} onClose={onClose} testid="import-dialog">
      <form class="dialog-form" onSubmit={(event) => { event.preventDefault(); void start(false); }}>
        <label
          class={over.value ? "drop over" : "drop"}
          onDragOver={(event) => { event.preventDefault(); over.value = true; }}
          onDragLeave={() => (over.value = false)}
          onDrop={(event) => { event.preventDefault(); over.value = false; void take(event.dataTransfer?.files[0]); }}
        >
          <Icon name="jobs" />
          <span class="strong"><bdi>{file.value?.name ?? words.choose}</bdi></span>
          {!file.value && <span class="faint">{words.drop}</span>}
          <input type="file" class="visually-hidden" accept=".csv,.tsv,.txt,.jsonl,.ndjson,.json" data-testid="import-file" onChange={(event) => take(event.currentTarget.files?.[0])} />
        </label>
        <p class="hint">{words.fileHint}</p>
        {isCSV && head.value[0] && <Columns head={head.value} choices={choices.value} onChoice={(column, choice) => (choices.value = { ...choices.value, [column]: choice })} />}
        {failed.value && <p class="banner bad" role="alert">{failed.value}</p>}
        {busy.value && <p role="status">{words.uploading}</p>}
        {file.value && <p class="hint">{words.lookHint}</p>}
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
          <button type="button" class="button" data-testid="check-import" aria-disabled={!file.value || busy.value} onClick={() => start(true)}>{words.look}</button>
          <button class="button primary" data-testid="start-import" aria-disabled={!file.value || busy.value}>{words.import}</button>
        </footer>
      </form>
    </Dialog>
  );
}

interface ColumnsProps {
  head: readonly string[][];
  choices: Readonly<Record<string, Choice>>;
  onChoice(column: string, choice: Choice): void;
}

/** What each column of the file is. */
function Columns({ head: [names = [], first = []], choices, onChoice }: ColumnsProps) {
  return (
    <fieldset class="field">
      <legend>{words.columns}</legend>
      <p class="hint">{words.columnsLead}</p>
      <div class="columns" tabIndex={0} role="region" aria-label={words.columns}>
        <table>
          <thead><tr><th scope="col">{words.column}</th><th scope="col">{words.field}</th><th scope="col">{words.sample}</th></tr></thead>
          <tbody>
            {names.map((name, at) => (
              <tr key={`${at} ${name}`}>
                <th scope="row"><bdi>{name}</bdi></th>
                <td>
                  <select class="select" aria-label={`${words.field}: ${isolate(name)}`} data-column={name} value={choices[name] ?? "auto"} onChange={(event) => onChoice(name, event.currentTarget.value as Choice)}>
                    <option value="auto">{words.byName}</option>
                    {Object.entries(words.fields).map(([field, label]) => <option key={field} value={field}>{label}</option>)}
                    <option value="none">{words.leaveOut}</option>
                  </select>
                </td>
                <td class="faint"><bdi>{first[at]?.slice(0, 60)}</bdi></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </fieldset>
  );
}
