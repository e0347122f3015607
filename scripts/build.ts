/** `npm run build`: the wrapper and the page, which a manager that runs from a checkout reads from `dist/`. */
import { bundlePage } from './bundle-page.ts';
import { bundleWrapper } from './bundle-wrapper.ts';

const [{ path, hash }] = await Promise.all([bundleWrapper(), bundlePage()]);
console.log(`${path} ${hash}`);
