/**
 * The page at `/`: the state of the cell in a browser. It uses the manager's public HTTP API and nothing else, and is
 * bundled by `scripts/bundle-page.ts`.
 *
 * Text from workers is only ever set as text, never as markup. The page sends requests to its own server only. Must not
 * import anything of the manager except the SDK over HTTP.
 */
import '@xterm/xterm/css/xterm.css';
import 'uplot/dist/uPlot.min.css';
import './styles/main.css';
import { render } from 'preact';
import { PageApp } from './app.tsx';

const place = document.getElementById('app');
if (place) render(<PageApp />, place);
