/** What a canned reply may leave open, by the server's names. */
export interface Known {
  "visitor.name": string;
  "visitor.email": string;
  page: string;
  "member.name": string;
}

/** Fills in what is known, and what the reply itself says where nothing is. */
export function fill(body: string, known: Known): string {
  return body.replace(/\{\{([^{}|]*)(?:\|([^{}]*))?\}\}/g, (whole, name: string, otherwise: string | undefined) => {
    const value = (known as unknown as Readonly<Record<string, string | undefined>>)[name.trim()];
    return value === undefined ? whole : value || (otherwise ?? "").trim();
  });
}
