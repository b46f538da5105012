import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import type { Feedback } from "../session/types";
import { files as t } from "../text/en-item";
import { Icon } from "../ui/icons";

/** Ten megabytes, on a slow line. */
const fetchMs = 60_000;

type Attachment = Feedback["attachments"][number];

/** What the visitor sent along. Content is fetched with the session's own credential, for its links are soon too old. */
export function Files({ files }: { files: readonly Attachment[] }) {
  return (
    <ul class="files" aria-label={t.title}>
      {files.map((file) => <li key={file.id}>{file.width && file.height ? <Picture file={file} /> : <Download file={file} />}</li>)}
    </ul>
  );
}

function useContent({ id }: Attachment): () => Promise<Blob> {
  const { session } = useDashboard();
  return async () => (await session.stream(`/attachments/${id}`, {}, AbortSignal.timeout(fetchMs))).blob();
}

/** Its place is kept from the start, so that nothing below it moves when it comes. */
function Picture({ file }: { file: Attachment }) {
  const content = useContent(file);
  const source = useSignal("");
  const large = useSignal(false);
  useEffect(() => {
    let gone = false;
    // Without it the name and the way to download it are there, which say why.
    void content().then((blob) => void (gone || (source.value = URL.createObjectURL(blob))), () => undefined);
    return () => {
      gone = true;
      URL.revokeObjectURL(source.peek());
    };
  }, []);
  return (
    <figure class="file-picture">
      <button type="button" class={large.value ? "large" : ""} aria-pressed={large.value} aria-label={t.enlarge(file.name)} onClick={() => (large.value = !large.value)}>
        {source.value ? <img src={source.value} width={file.width ?? 0} height={file.height ?? 0} alt={file.name} /> : <span class="file-room" />}
      </button>
      <figcaption><Download file={file} /></figcaption>
    </figure>
  );
}

function Download({ file }: { file: Attachment }) {
  const content = useContent(file);
  const failed = useSignal(false);
  async function save(): Promise<void> {
    failed.value = false;
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await content());
      link.download = file.name;
      link.click();
      // The download has begun by then, and holds the content by itself.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      failed.value = true;
    }
  }
  return (
    <>
      <button type="button" class="button small" data-testid="file" onClick={() => void save()}>
        <Icon name="down" />
        <bdi>{file.name}</bdi>
        <span class="faint">{t.size(file.size)}</span>
      </button>
      {failed.value && <span class="field-error" role="alert">{t.failed}</span>}
    </>
  );
}
