/** Hands a file to the person, as a link that is clicked for them. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  // In the document: not every browser follows a click elsewhere.
  document.body.append(link);
  link.click();
  link.remove();
  // Not at once: the browser may still be reading it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
