/** The same in the other language: one worker runs both. */
export async function cube(n) {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 80));
  return n ** 3;
}
