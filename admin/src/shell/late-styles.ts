/** The address of the style sheet, which the build knows. */
declare const LATE_STYLES: string;

let loading: Promise<void> | undefined;

/** Fetches the style sheet of the pages that are rarely the first, once; the first page does without its weight. */
export function lateStyles(): Promise<void> {
  return (loading ??= new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = LATE_STYLES;
    link.onload = () => resolve();
    link.onerror = () => {
      // The next page tries again.
      loading = undefined;
      link.remove();
      reject(new Error("no style sheet"));
    };
    document.head.append(link);
  }));
}
