/** Every exported function of a JavaScript or TypeScript module can be called. */
export async function upper(text) {
  return text.toUpperCase();
}
