/** Asks the server as the visitor whose token it is. Rejects with the status of a refusal. */
export async function askAs<T>(token: string, url: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(url, { ...init, credentials: "omit", headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw answer.status;
  return answer.json();
}
