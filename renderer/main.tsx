import './styles/app.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import type { Bridge } from '../core/ipc.ts';
import { App } from './app.tsx';
import { setBridge } from './api.ts';
import { BridgeMissing } from './components/bridge-missing.tsx';

declare global {
  interface Window {
    readonly lockstep?: Bridge;
  }
}

// Without it zod compiles its parsers with `new Function`, which the content security policy refuses.
z.config({ jitless: true });

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
if (window.lockstep !== undefined) setBridge(window.lockstep);
createRoot(root).render(<StrictMode>{window.lockstep === undefined ? <BridgeMissing /> : <App />}</StrictMode>);
