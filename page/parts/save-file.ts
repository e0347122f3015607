/**
 * Saves a body of a response as a file of the person. A link to the API cannot do that: it sends no token. The browser
 * holds the content until then, on disk if it is large.
 */
export async function saveFile(name: string, body: ReadableStream): Promise<void> {
  const url = URL.createObjectURL(await new Response(body).blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
